#include "eval/davis_benchmark.h"

#include <filesystem>
#include <memory>

#include "data/file.h"
#include "eval/davis_scores.h"
#include "eval/overlay.h"
#include "eval/stage_timer.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

constexpr int kOverlayQuality = 90;

std::string stem(const std::string& path) { return fs::path(path).stem().string(); }

std::string annotation_of(const data::DavisSequence& sequence, const std::string& image) {
  for (const auto& path : sequence.annotations)
    if (stem(path) == stem(image)) return path;
  throw Error(Exit::kBadData,
              text(image, ": the first frame has no annotation in ", sequence.annotations.front()));
}

std::string lost_note(const std::vector<int>& objects, bool keep_channels) {
  std::string list;
  for (const int object : objects) list += (list.empty() ? "" : ", ") + std::to_string(object);
  return text("object ",
              list,
              " vanishes from the first mask at feature size and cannot be followed",
              keep_channels ? "" : " (its channel too, where no higher one is left)");
}

Json objects_json(const std::vector<ObjectScore>& objects) {
  auto json = Json::array();
  for (const auto& o : objects)
    json.push_back({{"object", o.object}, {"frames", o.frames}, {"j", o.j}, {"f", o.f}});
  return json;
}

// JSON keeps a double to its last bit.
std::vector<ObjectScore> objects_of(const Json& json, const std::string& sequence) {
  std::vector<ObjectScore> objects;
  for (const auto& o : json) {
    const auto j = o.at("j").get<std::vector<double>>(), f = o.at("f").get<std::vector<double>>();
    objects.push_back({sequence,
                       o.at("object").get<int>(),
                       o.at("frames").get<std::vector<std::string>>(),
                       j,
                       f,
                       statistics_of(j),
                       statistics_of(f)});
  }
  return objects;
}

// One variant on its way through a sequence.
class SequenceRun {
 public:
  SequenceRun(const Variant& variant,
              const data::DavisSequence& sequence,
              bool overlays,
              const FrameFeatures& first,
              const data::LabelMap& labels)
      : masks_(fs::path(variant.out) / sequence.name),
        overlays_(overlays ? fs::path(variant.out) / "overlays" / sequence.name : fs::path()),
        propagation_(variant.video, first, labels) {
    fs::create_directories(masks_);
    if (overlays) fs::create_directories(overlays_);
    const auto& lost = propagation_.lost_objects();
    if (!lost.empty()) note(sequence.name + ": " + lost_note(lost, variant.video.keep_channels));
  }

  void first(const std::string& name, const data::Image& frame) {
    write(name, frame, propagation_.first_mask());
  }
  void next(const std::string& name, const data::Image& frame, const at::Tensor& features) {
    write(name, frame, propagation_.next(features));
  }
  void note(const std::string& line) { notes_.push_back(line); }

  Json record(const data::DavisSequence& sequence, const std::string& out) {
    SequenceResult result;
    {
      const StageTimer timer(&seconds_.scoring);
      result = score_sequence(sequence, out);
    }
    seconds_.propagation = propagation_.propagation_seconds();
    seconds_.masks = propagation_.mask_seconds();
    Json json = {{"frames", sequence.images.size()}, {"objects", objects_json(result.objects)}};
    for (const auto& line : result.notes) note(line);
    json["notes"] = notes_;
    return json;
  }
  ClipSeconds& seconds() { return seconds_; }

 private:
  void write(const std::string& name, const data::Image& frame, const data::LabelMap& mask) {
    const StageTimer timer(&seconds_.files);
    data::write_label_png((masks_ / (name + ".png")).string(), mask);
    if (overlays_.empty()) return;
    const auto picture = data::encode_jpeg(overlay(frame, mask), kOverlayQuality);
    data::write_file((overlays_ / (name + ".jpg")).string(), picture);
  }

  fs::path masks_, overlays_;
  VideoPropagation propagation_;
  ClipSeconds seconds_;
  std::vector<std::string> notes_;
};

}  // namespace

DavisBenchmark::DavisBenchmark(const models::ResNet& trunk,
                               std::vector<data::DavisSequence> sequences,
                               const DavisBenchmarkOptions& options,
                               std::vector<Variant> variants)
    : trunk_(trunk),
      sequences_(std::move(sequences)),
      options_(options),
      variants_(std::move(variants)) {}

std::vector<Clip> DavisBenchmark::clips() const {
  std::vector<Clip> clips;
  for (const auto& sequence : sequences_)
    clips.push_back({sequence.name, static_cast<std::int64_t>(sequence.images.size())});
  return clips;
}

std::vector<Json> DavisBenchmark::evaluate(std::size_t index, const OnFrame& on_frame) const {
  const auto& sequence = sequences_.at(index);
  check_scorable(sequence);  // before minutes go into it
  double reading = 0;
  const auto read = [&](const std::string& path) {
    const StageTimer timer(&reading);
    return data::read_image(path);
  };
  const auto first = read(sequence.images.front());
  const auto annotation = annotation_of(sequence, sequence.images.front());
  auto labels = data::read_label_png(annotation);
  const auto void_note = settle_void(&labels);
  check_mask_size(labels, annotation, first);

  FeatureExtractor extractor(trunk_, options_.input);
  const auto first_features = extractor.extract(first, sequence.images.front());
  std::vector<std::unique_ptr<SequenceRun>> runs;
  for (const auto& variant : variants_) {
    runs.push_back(std::make_unique<SequenceRun>(
        variant, sequence, options_.overlays, first_features, labels));
    if (!void_note.empty()) runs.back()->note(sequence.name + ": " + void_note);
    runs.back()->first(stem(sequence.images.front()), first);
  }
  const auto count = static_cast<std::int64_t>(sequence.images.size());
  if (on_frame) on_frame(sequence.name, 1, count);
  for (std::int64_t t = 1; t < count; ++t) {
    const auto& path = sequence.images[t];
    const auto frame = read(path);
    const auto features = extractor.extract(frame, path);
    for (const auto& run : runs) run->next(stem(path), frame, features.map);
    if (on_frame) on_frame(sequence.name, t + 1, count);
  }
  std::vector<Json> records;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    records.push_back(runs[i]->record(sequence, variants_[i].out));
    auto& seconds = runs[i]->seconds();
    seconds.features = extractor.seconds();
    seconds.files += reading;
    records.back()["seconds"] = seconds.json();
  }
  return records;
}

Summary DavisBenchmark::summarise(const std::string& out, const std::vector<Json>& records) const {
  std::vector<ObjectScore> objects;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].is_null()) continue;
    for (auto& object : objects_of(records[i].at("objects"), sequences_.at(i).name))
      objects.push_back(std::move(object));
  }
  const auto scores = scores_of(std::move(objects));
  write_official_csv(out, scores);
  write_results_csv((fs::path(out) / "results.csv").string(), scores);
  write_frames_csv((fs::path(out) / "per-frame.csv").string(), scores);
  return {Json::parse(scores_json(scores)), score_table(scores)};
}

}  // namespace stc::eval
