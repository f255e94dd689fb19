// Configuration: TOML files and --section.key=value, bound to the fields of options structs
// (docs/configuration.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace stc::launcher {

/// Would another value train other weights? A run folder resumes only where all kTraining keys are
/// equal.
enum class Effect { kTraining, kOperation };

/// The keys that one subcommand knows. Bind every field first (its value then is the default), then
/// read files and overrides; the later wins. Errors are stc::Error (kUsage) naming file, line, key,
/// the rule, and the nearest known key.
class ConfigSchema {
 public:
  ConfigSchema();
  ~ConfigSchema();

  /// Bounds are inclusive; the ends of int64, and infinity for numbers, leave that side open. A
  /// number is finite.
  void integer(const std::string& key,
               std::int64_t* field,
               std::int64_t least,
               std::int64_t most,
               Effect effect,
               const std::string& help);
  void number(const std::string& key,
              double* field,
              double least,
              double most,
              Effect effect,
              const std::string& help);
  void boolean(const std::string& key, bool* field, Effect effect, const std::string& help);
  /// `allowed` empty: any text.
  void text(const std::string& key,
            std::string* field,
            const std::vector<std::string>& allowed,
            Effect effect,
            const std::string& help);
  /// A whole number, or the word that stands for `word_value` ("off" -> -1, "auto" -> 0).
  void integer_or_word(const std::string& key,
                       std::int64_t* field,
                       std::int64_t least,
                       std::int64_t most,
                       const std::string& word,
                       std::int64_t word_value,
                       Effect effect,
                       const std::string& help);

  void read_file(const std::string& path);
  /// "--section.key=value". Text needs no quotes; everything else is written as in TOML.
  void override_with(const std::string& argument);

  std::string resolved()
      const;                 ///< TOML of all keys, sections and keys in the order they were bound
  std::string help() const;  ///< one line a key: type, range, default, meaning
  /// kTraining keys whose value differs from the resolved TOML text of an earlier run:
  /// "train.steps: 100 there, 200 here".
  std::vector<std::string> training_differences(const std::string& earlier_resolved) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stc::launcher
