// Commands: what a BMC does on an IPMI message. A table says who may send which; the
// functions act on the machine and fill in the answer. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <span>

#include "simulator/ipmi/responder.hpp"

namespace nimbus::simulator::ipmi {

// Completion codes (IPMI 2.0, table 5-2).
inline constexpr std::uint8_t kOk = 0x00;
inline constexpr std::uint8_t kNotSupportedParameter = 0x80;  // of the option and configuration commands
inline constexpr std::uint8_t kNodeBusy = 0xc0;
inline constexpr std::uint8_t kInvalidCommand = 0xc1;
inline constexpr std::uint8_t kOutOfSpace = 0xc4;
inline constexpr std::uint8_t kReservationCancelled = 0xc5;
inline constexpr std::uint8_t kLengthInvalid = 0xc7;
inline constexpr std::uint8_t kOutOfRange = 0xc9;
inline constexpr std::uint8_t kCannotReturnCount = 0xca;
inline constexpr std::uint8_t kNotPresent = 0xcb;
inline constexpr std::uint8_t kInvalidField = 0xcc;
inline constexpr std::uint8_t kInsufficientPrivilege = 0xd4;
inline constexpr std::uint8_t kWrongState = 0xd5;
inline constexpr std::uint8_t kUnspecified = 0xff;

struct Exchange {
  Machine& machine;
  Responder& responder;
  Session* session;  // null outside of a session
  Bytes request;
  Buffer reply;         // without the completion code
  bool silent = false;  // no answer at all
};

/// Returns the completion code.
using Handler = std::uint8_t (*)(Exchange&);
enum class Effect : std::uint8_t { Reads, Writes };

struct Command {
  std::uint8_t net_fn;
  std::uint8_t number;
  const char* name;
  Privilege least;         // None: also outside of a session
  std::size_t least_size;  // of the request's data
  Effect effect;
  Handler handler;
};

std::span<const Command> application_commands() noexcept;
std::span<const Command> account_commands() noexcept;
std::span<const Command> chassis_commands() noexcept;
std::span<const Command> sensor_commands() noexcept;
std::span<const Command> storage_commands() noexcept;
std::span<const Command> transport_commands() noexcept;

const Command* find_command(std::uint8_t net_fn, std::uint8_t number) noexcept;

}  // namespace nimbus::simulator::ipmi
