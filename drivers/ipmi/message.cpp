#include "drivers/ipmi/message.hpp"

#include <fmt/core.h>

namespace nimbus::ipmi {
namespace {

constexpr std::uint8_t kBmcAddress = 0x20;
constexpr std::uint8_t kConsoleAddress = 0x81;

/// Two's complement of the sum: all covered bytes and the sum add up to 0.
std::uint8_t checksum(Bytes data) noexcept {
  unsigned sum = 0;
  for (const auto byte : data) sum += byte;
  return static_cast<std::uint8_t>(-sum & 0xFFU);
}

struct CompletionText {
  std::uint8_t code;
  Code kind;
  std::string_view text;
};

constexpr CompletionText kCompletionTexts[] = {
    {0xC0, Code::Busy, "the BMC is busy"},
    {0xC1, Code::Unsupported, "the BMC does not know the command"},
    {0xC2, Code::Unsupported, "the command is not valid for this LUN"},
    {0xC3, Code::Busy, "the BMC took too long to process the command"},
    {0xC4, Code::Busy, "the BMC is out of space"},
    {0xC5, Code::Conflict, "the reservation was cancelled or is invalid"},
    {0xC6, Code::Invalid, "request data truncated"},
    {0xC7, Code::Invalid, "wrong length of the request"},
    {0xC8, Code::Invalid, "the request exceeds a length limit"},
    {0xC9, Code::Invalid, "a parameter is out of range"},
    {0xCA, Code::Invalid, "the BMC cannot return that many bytes"},
    {0xCB, Code::NotFound, "what was asked for is not there"},
    {0xCC, Code::Unsupported, "invalid data field in the request"},
    {0xCD, Code::Unsupported, "the command is illegal for this sensor or record"},
    {0xCE, Code::Busy, "the BMC could not provide a response"},
    {0xCF, Code::Busy, "the BMC took the request for a duplicate"},
    {0xD0, Code::Busy, "the BMC is updating its sensor records"},
    {0xD1, Code::Busy, "the BMC is in firmware update mode"},
    {0xD2, Code::Busy, "the BMC is starting"},
    {0xD3, Code::Unreachable, "the destination behind the BMC is unavailable"},
    {0xD4, Code::Auth, "the user's privilege does not suffice"},
    {0xD5, Code::Busy, "not possible in the present state"},
    {0xD6, Code::Unsupported, "the command has been disabled"},
};

}  // namespace

Packet encode_request(const Request& request, unsigned sequence) {
  Packet message;
  message.reserve(request.data.size() + 7);  // at once: no piece of a password is left behind
  Writer out(message);
  out.u8(kBmcAddress);
  out.u8(static_cast<unsigned>(request.net_fn) << 2U | (request.lun & 0x03U));
  out.u8(checksum(message));
  out.u8(kConsoleAddress);
  out.u8((sequence & 0x3FU) << 2U);
  out.u8(request.command);
  out.bytes(request.data);
  out.u8(checksum(Bytes(message).subspan(3)));
  return message;
}

std::optional<ReplyView> parse_reply(Bytes message, Checksums checksums) {
  constexpr std::size_t kShortest = 8;
  if (message.size() < kShortest) return std::nullopt;
  const bool sums_match = checksum(message.first(3)) == 0 && checksum(message.subspan(3)) == 0;
  if (checksums == Checksums::Verify && !sums_match) return std::nullopt;
  if (message[0] != kConsoleAddress || message[3] != kBmcAddress) return std::nullopt;
  return ReplyView{.net_fn = static_cast<std::uint8_t>(message[1] >> 2U),
                   .sequence = static_cast<std::uint8_t>(message[4] >> 2U),
                   .command = message[5],
                   .completion = message[6],
                   .data = message.subspan(7, message.size() - kShortest)};
}

bool answers(const ReplyView& reply, const Request& request, unsigned sequence) noexcept {
  return reply.sequence == sequence && reply.command == request.command &&
         reply.net_fn == static_cast<unsigned>(request.net_fn) + 1;
}

Error completion_error(const Request& request, std::uint8_t completion) {
  for (const auto& entry : kCompletionTexts) {
    if (entry.code == completion) {
      return Error{entry.kind, fmt::format("{}: {} (completion code 0x{:02X})", request.name, entry.text, completion)};
    }
  }
  return Error{Code::Corrupt, fmt::format("{}: the BMC refused, completion code 0x{:02X}", request.name, completion)};
}

}  // namespace nimbus::ipmi
