#include "eval/jobs/benchmark.h"

#include <filesystem>

#include "monitoring/check.h"

namespace stc::eval {

std::vector<Json> Benchmark::evaluate(std::size_t index, const OnFrame& on_frame) const {
  const auto& clip = clips_.at(index);
  STC_CHECK_DATA(clip.fault.empty(), "{}", clip.fault);
  const auto start = open_clip_(index);
  FeatureExtractor extractor(setup_.trunk, setup_.input);
  StageTimer reading;
  std::vector<std::unique_ptr<ClipEvaluation>> evaluations;
  for (std::int64_t t = 0; t < clip.frames(); ++t) {
    const auto& path = clip.images[t];
    const auto frame = reading.time([&] { return data::read_image(path); });
    const auto features = extractor.extract(frame, path);
    const auto name = std::filesystem::path(path).stem().string();
    if (t == 0) {
      for (const auto& variant : variants())
        evaluations.push_back(start({variant, frame, features, setup_.overlays}));
      for (const auto& evaluation : evaluations) evaluation->first(name, frame);
    } else {
      for (const auto& evaluation : evaluations) evaluation->next(name, frame, features.map);
    }
    if (on_frame) on_frame(clip.name, t + 1, clip.frames());
  }
  std::vector<Json> records;
  for (const auto& evaluation : evaluations)
    records.push_back(evaluation->finish(clip.frames(), extractor.seconds(), reading.seconds()));
  return records;
}

ScoreTables Benchmark::summarise(const std::string& out, const std::vector<Json>& records) const {
  std::vector<ClipRecord> found;
  for (std::size_t i = 0; i < records.size(); ++i)
    if (!records[i].is_null()) found.push_back({clips_.at(i).name, records[i]});
  auto tables = tables_of_(found);
  write_tables(out, tables);
  return tables;
}

}  // namespace stc::eval
