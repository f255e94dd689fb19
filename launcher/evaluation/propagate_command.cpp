#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "data/images/image.h"
#include "data/result_folder.h"
#include "data/video/frame_source.h"
#include "data/video/video_writer.h"
#include "dist/device.h"
#include "eval/drawing/overlay.h"
#include "eval/propagation/video_propagation.h"
#include "launcher/commands.h"
#include "launcher/evaluation/frame_progress.h"
#include "launcher/evaluation/propagation_arguments.h"
#include "monitoring/check.h"
#include "monitoring/log.h"
#include "monitoring/printable.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;

struct ClipArguments : PropagationArguments {
  std::string video;
  std::string mask;
  std::string out;
  double frames_per_second = 0;
  bool skip_bad = false;
  bool force = false;
};

std::string file_name(std::int64_t frame) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%05ld.png", static_cast<long>(frame));
  return buffer;
}

// A few pictures spread over a clip of unknown length, in bounded memory: when there are too many,
// every other one is dropped, and from then on half as many are kept.
class Strip {
 public:
  void add(std::int64_t frame, const data::Image& picture) {
    if (frame % interval_ != 0) return;
    pictures_.push_back(eval::shrink(picture, kHeight));
    if (pictures_.size() < 2 * kPictures) return;
    for (std::size_t i = 1; i < kPictures; ++i) pictures_[i] = std::move(pictures_[2 * i]);
    pictures_.resize(kPictures);
    interval_ *= 2;
  }
  data::Image draw() const {
    constexpr int kGap = 4;
    std::vector<data::Image> row;
    const auto shown = std::min(kPictures, pictures_.size());
    for (std::size_t i = 0; i < shown; ++i)
      row.push_back(pictures_[shown == 1 ? 0 : i * (pictures_.size() - 1) / (shown - 1)]);
    return eval::contact_sheet({row}, kGap);
  }

 private:
  static constexpr std::size_t kPictures = 6;
  static constexpr int kHeight = 180;
  std::vector<data::Image> pictures_;
  std::int64_t interval_ = 1;
};

// Masks, the video with masks drawn over it, and the strip.
class ClipFiles {
 public:
  ClipFiles(const fs::path& out, const data::Image& first, double frames_per_second) : out_(out) {
    fs::create_directory(out_ / "masks");
    video_ = data::VideoWriter::create(
        (out_ / "overlay.mp4").string(), first.height, first.width, frames_per_second);
  }
  void add(std::int64_t frame, const data::Image& image, const data::LabelMap& mask) {
    data::write_label_png((out_ / "masks" / file_name(frame)).string(), mask);
    const auto picture = eval::overlay(image, mask);
    video_->add(picture);
    strip_.add(frame, picture);
  }
  void finish() {
    video_->finish();
    data::write_png((out_ / "strip.png").string(), strip_.draw());
  }

 private:
  fs::path out_;
  std::unique_ptr<data::VideoWriter> video_;
  Strip strip_;
};

// Many ranks would all write the same folder.
void check_is_alone() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    const char* ranks = std::getenv(name);
    STC_CHECK_USAGE(ranks == nullptr || std::atoll(ranks) <= 1,
                    "stc propagate: started as {} ranks ({}), which would all write the same "
                    "folder; start one process, it uses all cores",
                    ranks,
                    name);
  }
}

void warn_of_lost_objects(const eval::VideoPropagation& propagation) {
  for (const int object : propagation.lost_objects())
    log::warning(
        "object {} is too small: it vanishes from the mask at feature size; a larger --short-side "
        "or --stride 4 may keep it",
        object);
}

/// The frames of a clip, none of them damaged unless --skip-bad says so.
class ClipFrames {
 public:
  explicit ClipFrames(const ClipArguments& arguments)
      : path_(arguments.video),
        may_be_damaged_(arguments.skip_bad),
        source_(data::FrameSource::open(path_, arguments.frames_per_second)) {}

  std::optional<data::Image> next() {
    auto frame = source_->next();
    const auto& damage = source_->damage();
    // Decoding threads run ahead: which frame it is can follow a little later.
    const bool is_located = !frame || !damage.first_numbers.empty();
    STC_CHECK_DATA(may_be_damaged_ || !damage.any() || !is_located,
                   "{}: {}, as far as it was read; bring an undamaged copy, or propagate through "
                   "what the decoder made of it with --skip-bad",
                   path_,
                   damage.say());
    return frame;
  }
  double frames_per_second() const { return source_->frames_per_second(); }
  /// To be called after the last frame.
  void say_remarks() const {
    if (source_->damage().any()) log::warning("{}: {}", path_, source_->damage().say());
    for (const auto& remark : source_->remarks()) log::warning("{} has {}", path_, remark);
  }

 private:
  std::string path_;
  bool may_be_damaged_;
  std::unique_ptr<data::FrameSource> source_;
};

data::LabelMap first_mask_of(const ClipArguments& arguments) {
  auto [labels, note] = eval::read_first_mask(arguments.mask);
  if (!note.empty()) log::info("{}", note);
  return labels;
}

int propagate_clip(const ClipArguments& arguments) {
  check_is_alone();
  if (arguments.threads > 0) at::set_num_threads(arguments.threads);
  auto settings = read_settings(arguments);
  data::ResultFolder out(arguments.out, arguments.force, {"masks", "overlay.mp4", "strip.png"});
  ClipFrames source(arguments);
  const auto labels = first_mask_of(arguments);
  const auto trunk = load_trunk(arguments, settings.stride, dist::choose_device(arguments.device));
  const auto input = choose_input(trunk, &settings);
  if (!input.empty()) log::info("{}", input);
  const auto first = source.next();
  STC_CHECK_DATA(first.has_value(), "{}: holds no frame", arguments.video);
  eval::check_mask_size(labels, arguments.mask, *first);
  eval::FeatureExtractor extractor(trunk.network, settings.input);
  eval::VideoPropagation propagation(
      settings.video, extractor.extract(*first, arguments.video), labels);
  warn_of_lost_objects(propagation);
  ClipFiles files(out.path(), *first, source.frames_per_second());
  files.add(0, *first, propagation.first_mask());
  std::int64_t frames = 1;
  {
    FrameProgress progress(0);
    while (const auto frame = source.next()) {
      const auto name = text("{}: frame {}", arguments.video, frames);
      files.add(frames++, *frame, propagation.next(extractor.extract(*frame, name).map));
      progress.update("propagate", frames, 0, frames);
    }
  }
  source.say_remarks();
  files.finish();
  out.finish();
  std::printf(
      "%ld frames: features %.1f s, propagation %.1f s, masks %.1f s\n"
      "%s: masks/, overlay.mp4, strip.png\n",
      static_cast<long>(frames),
      extractor.seconds(),
      propagation.propagation_seconds(),
      propagation.mask_seconds(),
      printable(arguments.out).c_str());
  return 0;
}

}  // namespace

void add_propagate(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("propagate", "Propagate the first frame's mask through your own clip");
  const auto arguments = std::make_shared<ClipArguments>();
  command->add_option("VIDEO", arguments->video, "A video file, or a folder of frames")->required();
  command->option_defaults()->group("Input");
  command
      ->add_option("--mask",
                   arguments->mask,
                   "Palette or grey PNG of the first frame's size: 0 background, 1.. objects")
      ->required();
  command
      ->add_option("--fps",
                   arguments->frames_per_second,
                   "Take this many frames per second of the video, repeated or left out by their "
                   "times; without it, each frame once")
      ->check(CLI::Range(0.01, 1000.0));
  command->add_flag(
      "--skip-bad", arguments->skip_bad, "Go on through damaged frames, instead of ending");
  command->option_defaults()->group("Output");
  command->add_option("--out", arguments->out, "New folder for masks/, overlay.mp4 and strip.png")
      ->required();
  command->add_flag("--force", arguments->force, "Replace an earlier result in --out");
  add_propagation_options(command, arguments.get());
  command->footer(
      "Examples:\n"
      "  stc propagate dog.mp4 --mask dog.png --weights runs/step2 --out results/dog\n"
      "  stc propagate frames/ --mask first.png --weights random --depth 18 --short-side 240 --out "
      "results/clip");
  command->callback(
      [arguments, &action] { action = [arguments] { return propagate_clip(*arguments); }; });
}

}  // namespace stc::launcher
