// Tables as text: numbers that keep every digit, names that do not break a line.
#pragma once

#include <string>

namespace stc::eval {

std::string exact(double value);    ///< 17 significant digits: reading it gives `value` again
std::string percent(double share);  ///< 0.5 -> "50.0"

/// Of a line of CSV; quoted where the name would break it.
std::string csv_field(const std::string& name);

}  // namespace stc::eval
