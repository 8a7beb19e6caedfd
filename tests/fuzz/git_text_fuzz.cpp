// Texts that a Git server or a commit's author controls: messages, push reports,
// error output.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text/text.hpp"
#include "registry/git/commit_builder.hpp"
#include "registry/git/git_failure.hpp"
#include "registry/git/git_program.hpp"
#include "registry/git/push_report.hpp"
#include "registry/git/remote.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nimbus::registry;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& line : parse_push_report(text).lines) {
    if (line.flag == '\0') std::abort();
  }
  (void)classify_git_failure(text);
  const auto summary = summarize_git_errors(text);
  if (summary.empty() || summary.find('\n') != std::string::npos || !nimbus::base::is_valid_utf8(summary)) std::abort();
  (void)trailers_of(text);
  const auto message = commit_message(text, "", {{"Nimbus-Term", std::string(text)}});
  if (!trailers_of(message).contains("Nimbus-Term")) std::abort();
  (void)is_reference_name(text);
  (void)check_remote({.url = std::string(text)});
  return 0;
}
