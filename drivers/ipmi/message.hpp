// IPMI messages on the LAN channel: a request to the BMC and its reply (IPMI v2.0
// rev 1.1, sections 13.8 and 5.2). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/time.hpp"
#include "drivers/ipmi/wire.hpp"

namespace nimbus::ipmi {

/// Section 5.1; requests are even, replies are one more.
enum class NetFn : std::uint8_t { Chassis = 0x00, Sensor = 0x04, App = 0x06, Storage = 0x0A, Transport = 0x0C };

/// Its data are overwritten when it goes: there may be a password in them.
struct Request {
  NetFn net_fn = NetFn::App;
  std::uint8_t command = 0;
  std::vector<std::uint8_t> data = {};
  std::string_view name = "";           // for messages to people: a literal
  std::uint8_t lun = 0;                 // 0 to 3: which part of the BMC answers; sensors may be behind another
  MonoTime leave_by = MonoTime::max();  // not sent afterwards, and not repeated by a process that slept

  ~Request() { wipe(data); }
};

/// Appendix G: 0 is success. Some codes that decide what happens next:
inline constexpr std::uint8_t kOk = 0x00;
inline constexpr std::uint8_t kNodeBusy = 0xC0;
inline constexpr std::uint8_t kInvalidCommand = 0xC1;
inline constexpr std::uint8_t kCannotReturnThatMany = 0xCA;
inline constexpr std::uint8_t kInvalidLength = 0xC7;
inline constexpr std::uint8_t kLengthLimitExceeded = 0xC8;
inline constexpr std::uint8_t kInsufficientPrivilege = 0xD4;
inline constexpr std::uint8_t kNotInPresentState = 0xD5;

struct Reply {
  std::uint8_t completion = kOk;
  std::vector<std::uint8_t> data = {};
};

/// `sequence` is the requester's, 0 to 63.
Packet encode_request(const Request& request, unsigned sequence);

struct ReplyView {
  std::uint8_t net_fn = 0;
  std::uint8_t sequence = 0;
  std::uint8_t command = 0;
  std::uint8_t completion = 0;
  Bytes data;
};
enum class Checksums : std::uint8_t { Verify, Ignore };
/// Nothing for what is no reply of the BMC to a LAN console.
std::optional<ReplyView> parse_reply(Bytes message, Checksums checksums);

bool answers(const ReplyView& reply, const Request& request, unsigned sequence) noexcept;

/// What a completion code other than 0 means for the caller.
Error completion_error(const Request& request, std::uint8_t completion);

}  // namespace nimbus::ipmi
