#include "eval/drawing/overlay_files.h"
#include "data/images/video.h"

#include <filesystem>

#include "data/file.h"
#include "eval/drawing/overlay.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

constexpr int kQuality = 90;
constexpr int kGap = 4;
constexpr double kFramesPerSecond = 24;  // of all three data sets, about

}  // namespace

OverlayFiles::OverlayFiles(const std::string& out, const std::string& clip)
    : folder_((fs::path(out) / "overlays" / clip).string()) {
  fs::create_directories(fs::path(folder_) / kTruthFolder);
}

void OverlayFiles::add(const std::string& frame,
                       const data::Image& found,
                       const data::Image& truth) {
  const auto write = [&](const fs::path& folder, const data::Image& picture) {
    data::write_file((folder / (frame + ".jpg")).string(), data::encode_jpeg(picture, kQuality));
  };
  write(folder_, found);
  write(fs::path(folder_) / kTruthFolder, truth);
  const auto both = contact_sheet({{found, truth}}, kGap);
  if (!video_)
    video_ = data::VideoWriter::create(folder_ + ".mp4", both.height, both.width, kFramesPerSecond);
  video_->add(both);
}

void OverlayFiles::finish() { video_->finish(); }

}  // namespace stc::eval
