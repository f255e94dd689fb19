#include "eval/jobs/clip_evaluation.h"

#include "eval/propagation/stage_timer.h"

namespace stc::eval {

ClipEvaluation::ClipEvaluation(const Variant& variant, const std::string& clip, bool has_overlays)
    : out_(variant.out), clip_(clip) {
  if (has_overlays) overlays_.emplace(out_, clip_);
}

Json ClipEvaluation::finish(std::int64_t frames, double features_seconds, double reading_seconds) {
  auto taken = seconds();
  Json record = {{"frames", frames}};
  {
    const StageTimer timer(&taken.scoring);
    if (overlays_) overlays_->finish();
    record.update(score());
  }
  record["notes"] = notes_;
  record["seconds"] = {{"features", features_seconds},
                       {"propagation", taken.propagation},
                       {"masks", taken.masks},
                       {"files", taken.files + reading_seconds},
                       {"scoring", taken.scoring}};
  return record;
}

}  // namespace stc::eval
