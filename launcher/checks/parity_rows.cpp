#include "launcher/checks/parity_rows.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "eval/propagation/label_maps.h"
#include "eval/propagation/label_propagation.h"
#include "models/contrastive.h"
#include "models/temporal_model.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

// A golden file, read with errors that name it.
struct GoldenCase {
  const data::SafeTensors& golden;
  const std::string& file;
  at::Device device;
  at::ScalarType dtype;

  bool has(const std::string& name) const { return golden.tensors.contains(name); }
  const at::Tensor& raw(const std::string& name) const {
    const auto found = golden.tensors.find(name);
    STC_CHECK_DATA(found != golden.tensors.end(), "{}: '{}' is missing from the case", file, name);
    return found->second;
  }
  at::Tensor input(const std::string& name) const { return raw(name).to(device, dtype); }
  std::int64_t integer(const std::string& name, std::int64_t i = 0) const {
    return raw(name)[i].item<std::int64_t>();
  }
  std::string metadata(const std::string& key) const {
    const auto found = golden.metadata.find(key);
    return found == golden.metadata.end() ? "" : found->second;
  }
  std::map<std::string, at::Tensor> weights(const std::string& prefix) const {
    std::map<std::string, at::Tensor> found;
    for (const auto& [name, value] : golden.tensors) {
      if (name.starts_with(prefix)) found[name.substr(prefix.size())] = value;
    }
    return found;
  }
};

at::Tensor wide(const at::Tensor& t) { return t.detach().to(at::kCPU, at::kDouble); }

class ParityRows {
 public:
  explicit ParityRows(const GoldenCase& c) : case_(c) {}

  void relative(const std::string& name, const at::Tensor& own, double tolerance) {
    const auto expected = wide(case_.raw(name)).flatten();
    const auto error = (wide(own).flatten() - expected).abs() / expected.abs().clamp_min(1e-30);
    rows_.push_back({name, error.max().item<double>(), tolerance, "relative"});
  }
  void relative_l2(const std::string& name, const at::Tensor& own, double tolerance) {
    const double size = wide(case_.raw(name)).norm().item<double>();
    const double error = difference(name, own).norm().item<double>() / (size > 0 ? size : 1);
    rows_.push_back({name, error, tolerance, "relative L2"});
  }
  void absolute(const std::string& name, const at::Tensor& own, double tolerance) {
    const auto error = difference(name, own).abs().max().item<double>();
    rows_.push_back({name, error, tolerance, "absolute"});
  }
  void unequal(const std::string& name, const at::Tensor& own, const at::Tensor& counted) {
    const auto wrong = (difference(name, own) != 0).logical_and(counted);
    rows_.push_back({name, static_cast<double>(wrong.sum().item<std::int64_t>()), 0, "cells"});
  }
  const std::vector<ParityRow>& rows() const { return rows_; }

 private:
  at::Tensor difference(const std::string& name, const at::Tensor& own) const {
    const auto& expected = case_.raw(name);
    STC_CHECK_DATA(own.sizes() == expected.sizes(),
                   "{}: '{}' is {}; this build computes {}",
                   case_.file,
                   name,
                   expected.sizes(),
                   own.sizes());
    return wide(own) - wide(expected);
  }
  const GoldenCase& case_;
  std::vector<ParityRow> rows_;
};

struct Tolerances {
  double loss, gradient, feature;
};

models::TemporalLossOptions loss_options(const GoldenCase& c) {
  models::TemporalLossOptions options;
  options.fine_radius = c.integer("radius", 0);
  options.coarse_radius = c.integer("radius", 1);
  const auto preset = c.metadata("preset");
  options = models::with_preset(options, preset.empty() ? "paper_code" : preset);
  options.check();
  return options;
}

// A choice may flip if its score is within rounding of the threshold; all others must agree.
at::Tensor clear_choices(const at::Tensor& score,
                         double margin,
                         const models::TemporalLossOptions& options) {
  return (score - models::selection_threshold(score, options)).abs() > margin * score.abs();
}

ParityRows loss_rows(const GoldenCase& c,
                     const models::TemporalLosses& losses,
                     const Tolerances& tolerance,
                     const models::TemporalLossOptions& options) {
  ParityRows rows(c);
  rows.relative("loss.reconstruction0", losses.reconstruction0, tolerance.loss);
  rows.relative("loss.reconstruction1", losses.reconstruction1, tolerance.loss);
  rows.relative("loss.local_distillation", losses.local_distillation, tolerance.loss);
  rows.relative("loss.global_distillation", losses.global_distillation, tolerance.loss);
  rows.relative_l2("selection_score", losses.selection_score, tolerance.feature);
  rows.unequal(
      "selection",
      losses.selection,
      clear_choices(wide(c.raw("selection_score")), std::max(1e-4, tolerance.feature), options));
  return rows;
}

struct LevelGradients {
  models::TemporalLosses losses;
  std::vector<at::Tensor> gradients;
};

// The losses with the stored selection, so that a flipped cell does not hide everything else, and
// this build's own selection.
LevelGradients losses_of_maps(const GoldenCase& c,
                              models::TemporalInputs inputs,
                              const models::TemporalLossOptions& options) {
  for (auto& level : inputs.levels) level = level.detach().requires_grad_();
  const auto own = models::temporal_losses(inputs, options);
  inputs.selection = c.raw("selection").to(c.device).to(at::kBool);
  auto held = models::temporal_losses(inputs, options);
  held.total.backward();
  held.selection = own.selection;
  LevelGradients out{held, {}};
  for (const auto& level : inputs.levels) out.gradients.push_back(level.grad());
  return out;
}

std::vector<ParityRow> step2_features(const GoldenCase& c) {
  const bool in_double = c.dtype == at::kDouble;
  const Tolerances tolerance =
      in_double ? Tolerances{1e-9, 1e-9, 1e-9} : Tolerances{1e-4, 1e-3, 1e-3};
  const auto options = loss_options(c);
  models::TemporalInputs inputs;
  for (int l = 0; l < 3; ++l) inputs.levels[l] = c.input(text("feat.level{}", l));
  inputs.teacher = c.input("feat.teacher");
  inputs.lab = c.input("input.lab");
  inputs.dropped = c.integer("dropped_channel");
  const auto result = losses_of_maps(c, inputs, options);
  ParityRows rows = loss_rows(c, result.losses, tolerance, options);
  for (int l = 0; l < 3; ++l)
    rows.relative_l2(text("grad.level{}", l), result.gradients[l], tolerance.gradient);
  return rows.rows();
}

std::vector<ParityRow> step2_network(const GoldenCase& c) {
  const bool in_double = c.dtype == at::kDouble;
  const Tolerances tolerance =
      in_double ? Tolerances{1e-9, 1e-8, 1e-8} : Tolerances{1e-3, 1e-1, 1e-1};
  const auto student = c.weights("student."), teacher = c.weights("teacher.");
  models::TemporalOptions options;
  options.depth = models::depth_of(student, c.file);
  options.teacher_depth = models::depth_of(teacher, c.file);
  options.losses = loss_options(c);
  models::TemporalModel model(options, 0);
  model.student.load(student, c.file);
  model.teacher->load(teacher, c.file);
  model.to(c.device, c.dtype);

  const models::TemporalModel::Batch batch{
      c.input("input.rgb"), c.input("input.lab"), c.integer("dropped_channel"), {}};
  const auto maps = model.features(batch, {});
  const auto result = losses_of_maps(
      c, {maps.levels, maps.teacher, batch.lab, batch.dropped, {}, {}}, options.losses);
  torch::autograd::backward({maps.levels.begin(), maps.levels.end()}, result.gradients);

  ParityRows rows = loss_rows(c, result.losses, tolerance, options.losses);
  for (int l = 0; l < 3; ++l) {
    rows.relative_l2(text("feat.level{}", l), maps.levels[l], tolerance.feature);
    rows.relative_l2(text("grad.level{}", l), result.gradients[l], tolerance.gradient);
  }
  rows.relative_l2("feat.teacher", maps.teacher, tolerance.feature);
  double squares = 0;
  for (const auto& [name, parameter] : model.student.parameters()) {
    squares += wide(parameter.grad()).square().sum().item<double>();
    if (c.has("grad." + name))
      rows.relative_l2("grad." + name, parameter.grad(), tolerance.gradient);
  }
  rows.relative("grad_l2", at::full({1}, std::sqrt(squares), at::kDouble), tolerance.gradient);
  return rows.rows();
}

std::vector<ParityRow> moco(const GoldenCase& c) {
  constexpr double kTolerance = 1e-5;  // the case itself was computed in float32
  models::KeyQueue queue{c.input("queue.start").clone(), 0};
  const double temperature = c.raw("temperature")[0].item<double>();
  ParityRows rows(c);
  for (int t = 0; c.has(text("query.{}", t)); ++t) {
    const auto query = c.input(text("query.{}", t)).requires_grad_();
    const auto key = c.input(text("key.{}", t));
    const auto result = models::contrastive_loss(query, key, queue.keys, temperature);
    result.loss.backward();
    queue.push(key);
    rows.absolute(text("logits.{}", t), result.logits, kTolerance);
    rows.relative(text("loss.{}", t), result.loss, kTolerance);
    rows.absolute(text("grad.{}", t), query.grad(), kTolerance);
  }
  rows.absolute("queue.end", queue.keys, kTolerance);
  rows.unequal("pointer.end", at::full({1}, queue.pointer, at::kLong), at::ones({1}, at::kBool));
  return rows.rows();
}

std::vector<ParityRow> propagation(const GoldenCase& c) {
  eval::PropagationOptions options;
  options.half_window = c.integer("half");
  options.preceding = c.integer("preceding");
  options.top_k = c.integer("top_k");
  options.temperature = c.raw("temperature")[0].item<double>();
  const auto features = c.input("features"), labels = c.input("labels0");
  eval::LabelPropagation propagation(options, features[0], labels);
  std::vector<at::Tensor> soft{labels.to(at::kCPU)};  // as all that step() returns
  for (std::int64_t t = 1; t < features.size(0); ++t) soft.push_back(propagation.step(features[t]));
  ParityRows rows(c);
  rows.absolute("soft", at::stack(soft), 1e-5);
  if (!c.has("mask")) return rows.rows();
  std::vector<at::Tensor> masks;
  for (const auto& frame : soft) {
    masks.push_back(
        eval::to_mask(frame, c.integer("output_size", 0), c.integer("output_size", 1)).labels);
  }
  rows.unequal("mask", at::stack(masks), wide(c.raw("margin")) > 1e-4);
  return rows.rows();
}

}  // namespace

std::vector<ParityRow> parity_rows(const data::SafeTensors& golden,
                                   const std::string& file,
                                   at::Device device,
                                   at::ScalarType dtype) {
  const GoldenCase c{golden, file, device, dtype};
  const auto kind = c.metadata("kind");
  if (kind == "moco") return moco(c);
  if (kind == "step2") return step2_network(c);
  if (kind == "step2-features") return step2_features(c);
  if (kind == "propagation") return propagation(c);
  throw Error(
      Exit::kBadData,
      text("{}: the metadata says kind '{}'; expected moco, step2, step2-features or propagation",
           c.file,
           kind));
}

}  // namespace stc::launcher
