#include "launcher/report/pictures.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "data/benchmarks/davis.h"
#include "data/images/image.h"
#include "eval/drawing/overlay.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kColumns = 5;
constexpr std::size_t kMaxRows = 6;
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
  const auto columns = std::min(kColumns, images.size());
  for (std::size_t i = 0; i < columns; ++i)
    chosen.push_back(images[i * (images.size() - 1) / std::max<std::size_t>(columns - 1, 1)]);
  return chosen;
}

/// Without a mask file the frame stays as it is.
data::Image with_mask(const data::Image& frame, const fs::path& mask) {
  const auto picture =
      fs::exists(mask) ? eval::overlay(frame, data::read_label_png(mask.string())) : frame;
  return eval::shrink(picture, kPictureHeight);
}

std::string drawn(const std::vector<std::vector<data::Image>>& rows) {
  return base64(data::encode_jpeg(eval::contact_sheet(rows, kGap), kJpegQuality));
}

ClipPicture draw_davis(const data::DavisSequence& sequence, const Evaluations& evaluations) {
  const auto truth = fs::path(sequence.annotations.front()).parent_path();
  ClipPicture picture{sequence.name, {"truth"}, ""};
  for (const auto& evaluation : evaluations) picture.rows.push_back(evaluation.label);
  std::vector<std::vector<data::Image>> rows(picture.rows.size());
  for (const auto& path : chosen_frames(sequence.images)) {
    const auto frame = data::read_image(path);
    const auto mask = fs::path(path).stem().string() + ".png";
    rows[0].push_back(with_mask(frame, truth / mask));
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
      rows[i + 1].push_back(with_mask(frame, fs::path(evaluations[i].path) / sequence.name / mask));
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
  for (const auto& evaluation : evaluations) {
    const auto folder = overlay_folder(evaluation) / clip;
    if (rows.empty()) add_row("truth", folder / eval::kTruthFolder);
    add_row(evaluation.label, folder);
  }
  if (rows.empty()) return picture;
  picture.jpeg_base64 = drawn(rows);
  return picture;
}

/// Best first: all, or only the best and the worst.
std::vector<std::string> chosen_clips(const ReportedEvaluation& evaluation, std::size_t max_clips) {
  auto ranked = ranked_clips(evaluation);
  if (ranked.size() > max_clips) {
    const auto best = static_cast<std::ptrdiff_t>((max_clips + 1) / 2);
    ranked.erase(ranked.begin() + best, ranked.end() - static_cast<std::ptrdiff_t>(max_clips / 2));
  }
  std::vector<std::string> names;
  for (const auto& clip : ranked) names.push_back(clip.name);
  return names;
}

/// Evaluations that one picture can show, its clips, and what is left out.
struct Selection {
  Evaluations rows;
  std::vector<std::string> clips;
  std::vector<std::string> notes;
};

Selection selection_of(Evaluations evaluations, std::size_t max_clips) {
  Selection selected;
  for (auto& evaluation : evaluations) {
    if (evaluation.data == evaluations.front().data) {
      selected.rows.push_back(evaluation);
    } else {
      selected.notes.push_back(evaluation.label +
                               ": evaluated on other data, so it is not in the pictures");
    }
  }
  if (selected.rows.size() > kMaxRows) {
    selected.notes.push_back(
        text("pictures of the first {} of {} evaluations", kMaxRows, selected.rows.size()));
    selected.rows.resize(kMaxRows);
  }
  const auto& first = selected.rows.front();
  selected.clips = chosen_clips(first, max_clips);
  if (const auto count = ranked_clips(first).size(); count > max_clips)
    selected.notes.push_back(
        text("pictures of the best {} and the worst {} of {}, as {} ranks them",
             (max_clips + 1) / 2,
             max_clips / 2,
             count,
             first.label));
  return selected;
}

/// A report is worth having without its pictures: the data may be on another machine.
template <typename DrawClip>
Pictures drawn_pictures(const Selection& selected, const DrawClip& draw_clip) {
  Pictures pictures{{}, selected.notes};
  try {
    for (const auto& clip : selected.clips) {
      auto picture = draw_clip(clip);
      if (picture.rows.empty())
        pictures.notes.push_back(clip + ": no evaluation has pictures of it");
      else
        pictures.clips.push_back(std::move(picture));
    }
  } catch (const Error& error) {
    pictures.notes.push_back(text("pictures left out: {}", error.what()));
  }
  return pictures;
}

Pictures davis_pictures(const Evaluations& evaluations, std::size_t max_clips) {
  const auto selected = selection_of(evaluations, max_clips);
  return drawn_pictures(selected, [&](const std::string& clip) {
    data::DavisOptions options;
    options.names = {clip};
    return draw_davis(data::open_davis(selected.rows.front().data, options).front(), selected.rows);
  });
}

Pictures overlay_pictures(const Evaluations& evaluations, std::size_t max_clips) {
  auto with_overlays = evaluations;
  std::erase_if(with_overlays, [](const auto& evaluation) {
    return !fs::is_directory(overlay_folder(evaluation));
  });
  std::vector<std::string> notes;
  if (const auto without = evaluations.size() - with_overlays.size(); without > 0)
    notes.push_back(text("{} of {} evaluations have no pictures; stc eval --overlays makes them",
                         without,
                         evaluations.size()));
  if (with_overlays.empty()) return {{}, notes};
  auto selected = selection_of(with_overlays, max_clips);
  selected.notes.insert(selected.notes.begin(), notes.begin(), notes.end());
  return drawn_pictures(
      selected, [&](const std::string& clip) { return draw_overlays(clip, selected.rows); });
}

}  // namespace

std::map<std::string, Pictures> draw_pictures(const Evaluations& evaluations,
                                              std::size_t max_clips) {
  std::map<std::string, Pictures> all;
  for (const auto& form : benchmark_forms()) {
    const auto of_form = evaluations_of(form, evaluations);
    if (of_form.empty() || max_clips == 0) continue;
    const auto draw = form.name == "davis" ? davis_pictures : overlay_pictures;
    all[form.name] = draw(of_form, max_clips);
  }
  return all;
}

}  // namespace stc::launcher
