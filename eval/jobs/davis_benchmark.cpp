#include "eval/jobs/davis_benchmark.h"

#include <filesystem>
#include <memory>
#include <optional>

#include "eval/jobs/mask_run.h"
#include "eval/scores/davis_scores.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

std::string stem(const std::string& path) { return fs::path(path).stem().string(); }

std::optional<std::string> find_annotation(const data::DavisSequence& sequence,
                                           const std::string& frame) {
  for (const auto& path : sequence.annotations)
    if (stem(path) == frame) return path;
  return std::nullopt;
}

std::string annotation_of(const data::DavisSequence& sequence, const std::string& image) {
  if (const auto path = find_annotation(sequence, stem(image))) return *path;
  throw Error(
      Exit::kBadData,
      text("{}: the first frame has no annotation in {}", image, sequence.annotations.front()));
}

std::optional<data::LabelMap> truth_of(const data::DavisSequence& sequence,
                                       const std::string& frame) {
  const auto path = find_annotation(sequence, frame);
  if (!path) return std::nullopt;
  auto truth = data::read_label_png(*path);
  settle_void(&truth);
  return truth;
}

std::string lost_note(const std::vector<int>& objects, bool keep_channels) {
  std::string list;
  for (const int object : objects) list += (list.empty() ? "" : ", ") + std::to_string(object);
  return text("object {} vanishes from the first mask at feature size and cannot be followed{}",
              list,
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
  STC_CHECK_DATA(sequence.fault.empty(), "{}", sequence.fault);
  check_scorable(sequence);  // before minutes go into it
  const auto annotation = annotation_of(sequence, sequence.images.front());
  auto labels = data::read_label_png(annotation);
  const auto void_note = settle_void(&labels);
  const auto truth = [&](const std::string& frame) { return truth_of(sequence, frame); };
  const auto start =
      [&](const Variant& variant, const data::Image& first, const FrameFeatures& features) {
        check_mask_size(labels, annotation, first);
        const auto score = [&sequence, out = variant.out](ClipRun& run) -> Json {
          const auto result = score_sequence(sequence, out);
          for (const auto& line : result.notes) run.note(line);
          return {{"objects", objects_json(result.objects)}};
        };
        auto run = std::make_unique<MaskRun>(variant,
                                             sequence.name,
                                             features,
                                             labels,
                                             score,
                                             options_.overlays ? MaskRun::Truth(truth) : nullptr);
        const auto& lost = run->lost_labels();
        if (!lost.empty())
          run->note(sequence.name + ": " + lost_note(lost, variant.video.keep_channels));
        if (!void_note.empty()) run->note(sequence.name + ": " + void_note);
        return run;
      };
  return run_clip(
      trunk_, options_.input, sequence.name, sequence.images, variants_, start, on_frame);
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
  return {Json::parse(scores_json(scores)), score_table(scores), "J&F", scores.jf_mean()};
}

}  // namespace stc::eval
