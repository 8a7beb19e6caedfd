// FakeBmc: the BMC's side of RMCP+, for cipher suites 3 and 17, written straight
// from the specification and without the driver's code (only its types of bytes).
// Pure: a packet in, at most one packet out. Switches make it lie.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nimbus::ipmi::test {

using Data = std::vector<std::uint8_t>;

class FakeBmc {
 public:
  struct Settings {
    int suite = 17;
    std::string username = "admin";
    std::string password = "secret12";
    std::string k_g;
    bool rmcp_plus = true;
    bool says_k_g = false;
    bool says_privilege_zero = false;
    std::uint8_t open_status = 0;  // of Open Session Response
    std::uint8_t rakp2_status = 0;
    std::uint8_t rakp4_status = 0;
    std::uint8_t privilege_completion = 0;
    int answer_suite = 0;  // other than 0: algorithms of another suite in the answer
    Data rakp4_tail;       // foreign bytes behind the integrity check value
    std::uint16_t rakp2_length_error = 0;
    bool short_refusals = false;  // nothing behind the status
    int wrong_rakp2_codes = 0;    // so many RAKP 2 with a damaged code first
  };
  using Handler = std::function<std::optional<Data>(const Data& request)>;  // completion code and data

  explicit FakeBmc(Settings settings) : settings_(std::move(settings)) {}

  std::optional<Data> receive(const Data& packet);
  /// In the session: "net function, command" to the answer. Nothing: silence.
  void on(std::uint8_t net_fn, std::uint8_t command, Handler handler) {
    handlers_[{net_fn, command}] = std::move(handler);
  }

  /// Seals `message` with the session's keys and the given session sequence number.
  Data seal(const Data& message, std::uint32_t sequence) const;
  /// A reply message of the BMC, checksums included.
  static Data reply_message(std::uint8_t net_fn, std::uint8_t sequence, std::uint8_t command, const Data& rest);

  /// As after a restart or the idle limit.
  void forget_session() { open_ = false; }
  int sessions() const { return sessions_; }
  const std::vector<std::uint32_t>& sequences_seen() const { return sequences_seen_; }
  const std::vector<std::pair<std::uint8_t, std::uint8_t>>& requests_seen() const { return requests_seen_; }
  std::uint32_t next_sequence = 1;

 private:
  Data answer_sessionless(const Data& packet);
  Data answer_open_session(const Data& payload);
  Data answer_rakp1(const Data& payload);
  Data answer_rakp3(const Data& payload);
  std::optional<Data> answer_in_session(const Data& packet);
  std::optional<Data> answer_message(const Data& message);
  Data mac(const Data& key, const Data& data) const;
  Data user_key() const;
  std::size_t cut() const { return settings_.suite == 17 ? 16 : 12; }

  Settings settings_;
  std::map<std::pair<std::uint8_t, std::uint8_t>, Handler> handlers_;
  Data console_id_, console_random_, role_name_;  // as on the wire
  Data bmc_id_ = {0xEF, 0xBE, 0xAD, 0xDE};
  Data bmc_random_ = Data(16, 0x5A);
  Data k1_, k2_;
  bool open_ = false;
  int sessions_ = 0;
  std::vector<std::uint32_t> sequences_seen_;
  std::vector<std::pair<std::uint8_t, std::uint8_t>> requests_seen_;
};

inline constexpr std::array<std::uint8_t, 16> kFakeGuid = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

}  // namespace nimbus::ipmi::test
