#include "launcher/report_pictures.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "data/davis.h"
#include "data/image.h"
#include "eval/overlay.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kColumns = 5;
constexpr int kPictureHeight = 140;
constexpr int kGap = 3;
constexpr int kJpegQuality = 82;

std::string base64(const std::vector<std::uint8_t>& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t three = bytes[i] << 16;
    if (left > 1) three |= bytes[i + 1] << 8;
    if (left > 2) three |= bytes[i + 2];
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= left ? kDigits[three >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

/// Evenly from the first to the last.
std::vector<std::string> chosen_frames(const std::vector<std::string>& images) {
  std::vector<std::string> chosen;
  const std::size_t columns = std::min(kColumns, images.size());
  for (std::size_t i = 0; i < columns; ++i) {
    const std::size_t last = std::max<std::size_t>(columns - 1, 1);
    chosen.push_back(images[i * (images.size() - 1) / last]);
  }
  return chosen;
}

/// The mask file where there is one; none leaves the frame as it is.
data::Image with_mask(const data::Image& frame, const fs::path& mask) {
  const auto picture =
      fs::exists(mask) ? eval::overlay(frame, data::read_label_png(mask.string())) : frame;
  return eval::shrink(picture, kPictureHeight);
}

SequencePicture draw(const data::DavisSequence& sequence,
                     const std::vector<const ReportedEvaluation*>& evaluations) {
  const auto truth = fs::path(sequence.annotations.front()).parent_path();
  SequencePicture picture{sequence.name, {"truth"}, ""};
  for (const auto* evaluation : evaluations) picture.rows.push_back(evaluation->label);
  std::vector<std::vector<data::Image>> rows(picture.rows.size());
  for (const auto& path : chosen_frames(sequence.images)) {
    const auto frame = data::read_image(path);
    const auto mask = fs::path(path).stem().string() + ".png";
    rows[0].push_back(with_mask(frame, truth / mask));
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
      rows[i + 1].push_back(
          with_mask(frame, fs::path(evaluations[i]->path) / sequence.name / mask));
    }
  }
  picture.jpeg_base64 = base64(data::encode_jpeg(eval::contact_sheet(rows, kGap), kJpegQuality));
  return picture;
}

}  // namespace

Pictures draw_pictures(const std::vector<ReportedEvaluation>& evaluations, std::size_t most) {
  Pictures pictures;
  if (evaluations.empty()) return pictures;
  const ReportedEvaluation& first = evaluations.front();
  std::vector<const ReportedEvaluation*> of_same_data;
  for (const auto& evaluation : evaluations) {
    if (evaluation.data == first.data) {
      of_same_data.push_back(&evaluation);
    } else {
      pictures.notes.push_back(evaluation.label +
                               ": evaluated on other data, so it is not in the pictures");
    }
  }
  data::DavisOptions options;
  for (const auto& sequence : first.sequences) options.names.push_back(sequence.sequence);
  if (options.names.size() > most) {
    pictures.notes.push_back(
        text("pictures of the first ", most, " of ", options.names.size(), " sequences"));
    options.names.resize(most);
  }
  // A report is worth having without its pictures: the data may be on another machine.
  try {
    for (const auto& sequence : data::open_davis(first.data, options)) {
      pictures.sequences.push_back(draw(sequence, of_same_data));
    }
  } catch (const Error& error) {
    pictures.notes.push_back(text("pictures left out: ", error.what()));
  }
  return pictures;
}

}  // namespace stc::launcher
