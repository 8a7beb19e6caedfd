// What a host answers when it is asked what its drifted files say: whatever that is, reading
// ends, and each diff is bounded text about a file that was asked for.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text/text.hpp"
#include "controller/configure/texts.hpp"

namespace {

using namespace nimbus;
using controller::TextsWish;

void require(bool holds) {
  if (!holds) std::abort();
}

TextsWish wish() {
  std::string many;
  for (int i = 0; i < 60; ++i) many += "line " + std::to_string(i % 37) + "\n";
  return {.files = {{"/etc/a", "declared\n", false},
                    {"/etc/b", many, false},
                    {"/etc/c", "a\nb\nc", true},
                    {"/etc/d", "", false}},
          .of = {}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto wanted = wish();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string answers(text);
  // The same bytes as they are, and as an honest host would send them for each file.
  for (const char* number : {"0", "1", "3"})
    answers +=
        std::string("\nt ") + number + "\n" + base::to_base64({data, std::min(size, controller::kMostTextBytes)});
  for (const auto& output : {std::string(text), answers + "\nt end\n"}) {
    const auto read = controller::read_texts_answer(wanted, output, "t");
    require(!read.empty() && read.size() <= wanted.files.size());  // what is absent needs no answer
    for (const auto& one : read) {
      require(std::any_of(wanted.files.begin(), wanted.files.end(),
                          [&](const auto& file) { return file.path == one.path; }));
      require(base::is_valid_utf8(one.diff));
      require(one.diff.size() <= 2 * controller::kMostTextBytes);
    }
  }
  return 0;
}
