// The files that `nimbusctl init` writes, as CMake put them into the program from
// cli/templates/. "@NAME@" and "@IMAGE@" in them are replaced.
#pragma once

#include <span>
#include <string_view>

namespace nimbus::cli {

struct Template {
  std::string_view name;  // of the file in cli/templates
  std::string_view text;
};
std::span<const Template> templates() noexcept;
/// Empty if there is none of that name.
std::string_view template_text(std::string_view name) noexcept;

}  // namespace nimbus::cli
