// What is wrong with a command line, in one sentence: what was seen, what was expected, what to do.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace stc::launcher {

/// `app` is the whole program after its parse() has thrown `error`.
std::string what_is_wrong(const CLI::App& app, const CLI::ParseError& error);

/// Checks of an option's value that say what is expected.
CLI::Validator above_zero();
CLI::Validator zero_or_more();

}  // namespace stc::launcher
