#include "drivers/ipmi/sol.hpp"

#include <algorithm>

namespace nimbus::ipmi {
namespace {

constexpr std::uint8_t kNack = 0x40;           // both directions
constexpr std::uint8_t kGenerateBreak = 0x10;  // to the BMC
constexpr std::uint8_t kDeactivated = 0x10;    // from the BMC
constexpr std::size_t kSafeCharacters = 32;

/// 1 to 15, in a circle; 0 is for packets that only acknowledge.
std::uint8_t after(std::uint8_t sequence) noexcept {
  return static_cast<std::uint8_t>(sequence >= 15 ? 1 : sequence + 1);
}
std::uint8_t before(std::uint8_t sequence) noexcept {
  return static_cast<std::uint8_t>(sequence <= 1 ? 15 : sequence - 1);
}

}  // namespace

std::optional<SolChannel::Received> SolChannel::receive(Bytes payload, std::size_t room) {
  if (payload.size() < kSolHeaderBytes) return std::nullopt;
  const std::uint8_t sequence = payload[0] & 0x0FU;
  const std::uint8_t acknowledged = payload[1] & 0x0FU;
  const std::uint8_t status = payload[3];
  const auto characters =
      payload.subspan(kSolHeaderBytes, std::min<std::size_t>(payload.size() - kSolHeaderBytes, 255));
  Received out;
  out.ended = (status & kDeactivated) != 0;
  out.acknowledged = receive_acknowledgement(acknowledged, payload[2], (status & kNack) != 0);
  if (sequence == 0) return out;
  // Late, from before the one that was acknowledged last.
  if (last_received_ != 0 && sequence == before(last_received_)) return out;
  const bool again = sequence == last_received_;
  const std::size_t known = again ? std::min(last_received_size_, characters.size()) : 0;
  if (characters.size() - known > room) {
    out.reply = Packet{0, sequence, 0, kNack};
    return out;
  }
  // A repeated packet may carry more than the first time.
  const auto fresh = characters.subspan(known);
  out.characters.assign(fresh.begin(), fresh.end());
  last_received_ = sequence;
  last_received_size_ = characters.size();
  out.reply = Packet{0, sequence, static_cast<std::uint8_t>(characters.size()), 0};
  return out;
}

bool SolChannel::receive_acknowledgement(std::uint8_t sequence, std::size_t count, bool refused) {
  if (sequence == 0 || !under_way_ || sequence != under_way_->sequence || output_.empty()) return false;
  auto& piece = output_.front();
  const std::size_t taken = std::min(count, under_way_->characters);
  if (refused && taken == 0) return false;  // sent again when its time comes
  if (piece.is_break) {
    output_.pop_front();
  } else {
    piece.characters.erase(0, taken);
    if (piece.characters.empty()) output_.pop_front();
  }
  under_way_.reset();
  return true;
}

void SolChannel::put(std::string_view characters) {
  if (!characters.empty()) output_.push_back({.characters = std::string(characters)});
}

void SolChannel::put_break() { output_.push_back({.characters = {}, .is_break = true}); }

void SolChannel::discard() {
  output_.clear();
  under_way_.reset();
}

std::optional<Packet> SolChannel::next() {
  if (under_way_ || output_.empty()) return std::nullopt;
  last_sent_ = after(last_sent_);
  under_way_ = UnderWay{.sequence = last_sent_, .characters = std::min(most_, output_.front().characters.size())};
  return packet_of(*under_way_);
}

std::optional<Packet> SolChannel::again() const {
  if (!under_way_) return std::nullopt;
  return packet_of(*under_way_);
}

Packet SolChannel::packet_of(const UnderWay& under_way) const {
  const auto& piece = output_.front();
  Packet out{under_way.sequence, 0, 0, piece.is_break ? kGenerateBreak : std::uint8_t{0}};
  const auto end = piece.characters.begin() + static_cast<std::ptrdiff_t>(under_way.characters);
  out.insert(out.end(), piece.characters.begin(), end);
  return out;
}

std::optional<SolActivation> parse_activation(Bytes data) {
  Reader in(data);
  in.bytes(4);
  const std::size_t inbound = in.u16();
  if (!in.ok()) return std::nullopt;
  // Some BMCs send the two bytes in the other order, or zero.
  const bool possible = inbound > kSolHeaderBytes && inbound <= 1024;
  const std::size_t most = possible ? inbound - kSolHeaderBytes : kSafeCharacters;
  return SolActivation{.most_characters = std::min(most, kMaxSolCharacters)};
}

}  // namespace nimbus::ipmi
