// Reading something long in pieces that a BMC can return: it says "too much" with one
// of three completion codes, and then half as much is asked for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "drivers/ipmi/message.hpp"

namespace nimbus::ipmi {

inline constexpr std::size_t kFirstChunk = 32;  // what most BMCs return at once
inline constexpr std::size_t kSmallestChunk = 4;

/// `count` bytes. `piece(from, want)` asks for at most `want` bytes from `from` on and
/// gives a Reply whose data are these bytes alone. `chunk` is how much this BMC returns
/// at once, as learnt so far. Errors: of `piece`; of completion codes; Corrupt (nothing,
/// or more than asked for).
template <class Piece>
Result<std::vector<std::uint8_t>> read_chunks(std::string_view name, std::size_t& chunk, std::size_t count,
                                              Piece piece) {
  std::vector<std::uint8_t> out;
  while (out.size() < count) {
    const std::size_t want = std::min(chunk, count - out.size());
    const Result<Reply> reply = piece(out.size(), want);
    if (!reply) return reply.error();
    const auto cc = reply->completion;
    const bool too_much = cc == kCannotReturnThatMany || cc == kInvalidLength || cc == kLengthLimitExceeded;
    if (too_much && want > kSmallestChunk) {
      chunk = want / 2;
      continue;
    }
    if (cc != kOk) return completion_error(Request{.name = name}, cc);
    if (reply->data.empty() || reply->data.size() > want) {
      return Error{Code::Corrupt, std::string(name) + ": a read returned another number of bytes than was asked for"};
    }
    out.insert(out.end(), reply->data.begin(), reply->data.end());
  }
  return out;
}

}  // namespace nimbus::ipmi
