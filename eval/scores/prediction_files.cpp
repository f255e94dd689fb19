#include "eval/scores/prediction_files.h"

#include <filesystem>

#include "monitoring/check.h"

namespace stc::eval {

std::string predicted_path(const std::string& folder,
                           const std::string& clip,
                           const std::string& annotation) {
  namespace fs = std::filesystem;
  return (fs::path(folder) / clip / fs::path(annotation).filename()).string();
}

void check_same_size(const std::string& path,
                     const data::LabelMap& prediction,
                     const data::LabelMap& truth) {
  STC_CHECK_DATA(prediction.height == truth.height && prediction.width == truth.width,
                 "{}: is {}x{} (height x width); its truth is {}x{}. Predictions are scored at the "
                 "size of the truth",
                 path,
                 prediction.height,
                 prediction.width,
                 truth.height,
                 truth.width);
}

}  // namespace stc::eval
