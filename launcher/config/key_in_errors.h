// Errors that name the config key whose value led to them.
#pragma once

#include "monitoring/check.h"

namespace stc::launcher {

/// Puts the key in front of what goes wrong while `body` uses its value.
template <typename Body>
auto with_key_in_errors(const char* key, const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    throw Error(error.exit(), text("{}: {}", key, error.what()));
  }
}

}  // namespace stc::launcher
