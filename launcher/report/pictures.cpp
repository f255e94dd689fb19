#include "launcher/report/pictures.h"

#include <algorithm>
#include <filesystem>

#include "data/benchmarks/davis.h"
#include "data/images/image.h"
#include "eval/drawing/overlay.h"
#include "eval/drawing/overlay_files.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kColumns = 5;
constexpr std::size_t kMostRows = 6;
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

std::string drawn(const std::vector<std::vector<data::Image>>& rows) {
  return base64(data::encode_jpeg(eval::contact_sheet(rows, kGap), kJpegQuality));
}

using Evaluations = std::vector<const ReportedEvaluation*>;

ClipPicture draw_davis(const data::DavisSequence& sequence, const Evaluations& evaluations) {
  const auto truth = fs::path(sequence.annotations.front()).parent_path();
  ClipPicture picture{sequence.name, {"truth"}, ""};
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
  picture.jpeg_base64 = drawn(rows);
  return picture;
}

fs::path overlay_folder(const ReportedEvaluation& evaluation) {
  return fs::path(evaluation.path) / "overlays";
}

ClipPicture draw_overlays(const std::string& clip, const Evaluations& evaluations) {
  ClipPicture picture{clip, {}, ""};
  std::vector<std::vector<data::Image>> rows;
  const auto add_row = [&](const std::string& label, const fs::path& folder) {
    const auto images =
        fs::is_directory(folder) ? data::list_images(folder.string()) : std::vector<std::string>{};
    if (images.empty()) return;
    picture.rows.push_back(label);
    rows.emplace_back();
    for (const auto& path : chosen_frames(images))
      rows.back().push_back(eval::shrink(data::read_image(path), kPictureHeight));
  };
  for (const auto* evaluation : evaluations) {
    const auto folder = overlay_folder(*evaluation) / clip;
    if (rows.empty()) add_row("truth", folder / eval::kTruthFolder);
    add_row(evaluation->label, folder);
  }
  if (rows.empty()) return picture;
  picture.jpeg_base64 = drawn(rows);
  return picture;
}

/// Best first: all, or only the best and the worst.
std::vector<std::string> chosen_clips(const ReportedEvaluation& evaluation,
                                      std::size_t most,
                                      std::vector<std::string>* notes) {
  auto ranked = ranked_clips(evaluation);
  if (ranked.size() > most) {
    notes->push_back(text("pictures of the best {} and the worst {} of {}, as {} ranks them",
                          (most + 1) / 2,
                          most / 2,
                          ranked.size(),
                          evaluation.label));
    const auto worst = ranked.end() - static_cast<std::ptrdiff_t>(most / 2);
    ranked.erase(ranked.begin() + static_cast<std::ptrdiff_t>((most + 1) / 2), worst);
  }
  std::vector<std::string> names;
  for (const auto& clip : ranked) names.push_back(clip.name);
  return names;
}

/// Those that stand in one picture: of the same data, and not too many.
Evaluations rows_of(const Evaluations& evaluations, std::vector<std::string>* notes) {
  Evaluations rows;
  for (const auto* evaluation : evaluations) {
    if (evaluation->data != evaluations.front()->data) {
      notes->push_back(evaluation->label +
                       ": evaluated on other data, so it is not in the pictures");
    } else {
      rows.push_back(evaluation);
    }
  }
  if (rows.size() > kMostRows) {
    notes->push_back(text("pictures of the first {} of {} evaluations", kMostRows, rows.size()));
    rows.resize(kMostRows);
  }
  return rows;
}

void add_davis(const Evaluations& evaluations, std::size_t most, Pictures* pictures) {
  const auto rows = rows_of(evaluations, &pictures->notes);
  data::DavisOptions options;
  options.names = chosen_clips(*rows.front(), most, &pictures->notes);
  if (options.names.empty()) return;
  for (const auto& sequence : data::open_davis(rows.front()->data, options))
    pictures->clips.push_back(draw_davis(sequence, rows));
}

void add_overlays(const Evaluations& evaluations, std::size_t most, Pictures* pictures) {
  Evaluations drawn_ones;
  for (const auto* evaluation : evaluations) {
    if (fs::is_directory(overlay_folder(*evaluation))) drawn_ones.push_back(evaluation);
  }
  const auto without = evaluations.size() - drawn_ones.size();
  if (without > 0)
    pictures->notes.push_back(
        text("{} of {} evaluations have no pictures; stc eval --overlays makes them",
             without,
             evaluations.size()));
  if (drawn_ones.empty()) return;
  const auto rows = rows_of(drawn_ones, &pictures->notes);
  for (const auto& clip : chosen_clips(*rows.front(), most, &pictures->notes)) {
    if (auto picture = draw_overlays(clip, rows); !picture.rows.empty())
      pictures->clips.push_back(std::move(picture));
    else
      pictures->notes.push_back(clip + ": no evaluation has pictures of it");
  }
}

}  // namespace

std::map<std::string, Pictures> draw_pictures(const std::vector<ReportedEvaluation>& evaluations,
                                              std::size_t most) {
  std::map<std::string, Pictures> all;
  for (const auto& form : benchmark_forms()) {
    Evaluations of_form;
    for (const auto& evaluation : evaluations)
      if (evaluation.benchmark == form.name) of_form.push_back(&evaluation);
    if (of_form.empty() || most == 0) continue;
    auto& pictures = all[form.name];
    // A report is worth having without its pictures: the data may be on another machine.
    try {
      const auto add = form.name == "davis" ? add_davis : add_overlays;
      add(of_form, most, &pictures);
    } catch (const Error& error) {
      pictures.notes.push_back(text("pictures left out: {}", error.what()));
    }
  }
  return all;
}

}  // namespace stc::launcher
