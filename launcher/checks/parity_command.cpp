// `stc parity`: golden cases against this build, each tensor's error and tolerance
// (docs/parity.md).

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/file.h"
#include "data/weights/safetensors.h"
#include "dist/device.h"
#include "launcher/checks/parity_rows.h"
#include "launcher/commands.h"
#include "models/arithmetic_flags.h"
#include "monitoring/json_text.h"

namespace stc::launcher {
namespace {

struct Arguments {
  std::vector<std::string> cases;
  bool in_double = false;
  std::string device = "cpu";
  std::string json;
};

void print_rows(const std::string& file,
                const std::string& kind,
                const std::vector<ParityRow>& rows) {
  std::printf("%s (%s)\n", file.c_str(), kind.c_str());
  for (const auto& row : rows) {
    std::printf("  %-28s %9.2e  of %.0e %-12s%s\n",
                row.tensor.c_str(),
                row.error,
                row.tolerance,
                row.measure.c_str(),
                row.passes() ? "" : " FAILS");
  }
}

nlohmann::json to_json(const std::string& file, const std::vector<ParityRow>& rows) {
  nlohmann::json tensors = nlohmann::json::array();
  for (const auto& row : rows) {
    tensors.push_back({{"tensor", row.tensor},
                       {"error", row.error},
                       {"tolerance", row.tolerance},
                       {"measure", row.measure},
                       {"passes", row.passes()}});
  }
  return {{"case", file}, {"tensors", tensors}};
}

int run_parity(const Arguments& arguments) {
  const auto device = dist::choose_device(arguments.device);
  models::apply_arithmetic_flags({});
  const auto dtype = arguments.in_double ? at::kDouble : at::kFloat;
  nlohmann::json report = nlohmann::json::array();
  std::size_t passed = 0;
  for (const auto& file : arguments.cases) {
    const auto golden = data::read_safetensors(file);
    const auto rows = parity_rows(golden, file, device, dtype);
    print_rows(file, golden.metadata.at("kind"), rows);
    report.push_back(to_json(file, rows));
    passed += std::ranges::all_of(rows, &ParityRow::passes);
  }
  if (!arguments.json.empty()) data::write_text(arguments.json, json_text(report, 1) + "\n");
  std::printf("parity: %zu of %zu cases pass (%s, %s)\n",
              passed,
              arguments.cases.size(),
              arguments.device.c_str(),
              arguments.in_double ? "double" : "float32");
  return passed == arguments.cases.size() ? 0 : 1;
}

}  // namespace

void add_parity(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("parity", "Check this build's numbers against golden cases");
  command->footer(
      "Examples:\n"
      "  stc parity tests/golden/prop_*.safetensors\n"
      "  stc parity tests/golden/prop_davis-like.safetensors --double --json errors.json\n"
      "It exits with 1 if an error is above its tolerance.");
  command->add_option("CASE", arguments->cases, "Golden cases (.safetensors)")->required();
  command->option_defaults()->group("Method");
  command->add_flag("--double", arguments->in_double, "Compute in double precision");
  command->option_defaults()->group("Machine");
  command->add_option("--device", arguments->device, "cpu or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  command->option_defaults()->group("Output");
  command->add_option("--json", arguments->json, "Write every error to this JSON file");
  command->callback(
      [arguments, &action] { action = [arguments] { return run_parity(*arguments); }; });
}

}  // namespace stc::launcher
