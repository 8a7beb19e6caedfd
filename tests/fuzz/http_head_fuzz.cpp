// Any bytes as the head of a request: what is accepted keeps the promises that
// handlers rely on.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/http/message.hpp"

using namespace nimbus::base;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto head = parse_request_head({reinterpret_cast<const char*>(data), size});
  if (!head) {
    if (head.error().status < 400 || status_phrase(head.error().status).empty()) std::abort();
    return 0;
  }
  if (!head->path.starts_with('/') || head->headers.size() > HeadLimits{}.headers) std::abort();
  for (const auto& header : head->headers) {
    if (header.name.empty() || header.value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      std::abort();
  }
  if (head->path.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) std::abort();
  return 0;
}
