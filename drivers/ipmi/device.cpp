#include "drivers/ipmi/device.hpp"

#include <algorithm>

#include "drivers/ipmi/chunks.hpp"

namespace nimbus::ipmi {
namespace {

constexpr std::size_t kMaxFruBytes = 65535;

bool is_absent(const Error& error) noexcept { return error.code == Code::Unsupported || error.code == Code::NotFound; }

Request fru_read_request(std::uint8_t device, std::size_t offset, std::size_t count) {
  Request request{.net_fn = NetFn::Storage, .command = 0x11, .name = "Read FRU Data"};  // section 34.2
  Writer out(request.data);
  out.u8(device);
  out.u16(static_cast<unsigned>(offset));
  out.u8(static_cast<unsigned>(count));
  return request;
}

/// Reads pieces of an inventory, in chunks that this BMC can return.
class FruReader {
 public:
  FruReader(Client& client, std::uint8_t device, const Call& call, std::size_t size)
      : client_(client), device_(device), call_(call), size_(size) {}

  Result<std::vector<std::uint8_t>> read(std::size_t offset, std::size_t count) {
    if (offset + count > size_) return Error{Code::Corrupt, "FRU inventory: an area lies outside of it"};
    return read_chunks("Read FRU Data", chunk_, count, [&](std::size_t from, std::size_t want) -> Result<Reply> {
      auto reply = client_.ask(fru_read_request(device_, offset + from, want), call_);
      if (!reply || reply->completion != kOk) return reply;
      const std::size_t got = reply->data.empty() ? 0 : reply->data[0];
      if (reply->data.size() < 1 + got) return Error{Code::Corrupt, "Read FRU Data: fewer bytes than it says"};
      reply->data.erase(reply->data.begin());
      reply->data.resize(got);
      return reply;
    });
  }

  /// The area at `offset`, or nothing if there is none or it is malformed. Only
  /// errors of the connection are errors.
  Result<std::optional<FruFields>> area(FruArea kind, std::size_t offset) {
    if (offset == 0) return std::optional<FruFields>();
    const auto head = read(offset, 2);
    if (!head) return keep_going(head.error());
    const auto length = fru_area_length(*head);
    if (!length) return keep_going(length.error());
    const auto data = read(offset, *length);
    if (!data) return keep_going(data.error());
    const auto fields = parse_fru_area(kind, *data);
    if (!fields) return keep_going(fields.error());
    return std::optional<FruFields>(*fields);
  }

  /// The records from `offset` on. One whose own sum is wrong is left out; a header that makes
  /// no sense ends the list. Only errors of the connection are errors.
  Result<std::vector<FruRecord>> records(std::size_t offset) {
    std::vector<FruRecord> out;
    for (std::size_t i = 0; offset != 0 && i < kMaxFruRecords; ++i) {
      const auto head = read(offset, kFruRecordHeaderBytes);
      if (!head && !is_malformed(head.error())) return head.error();
      const auto header = head ? parse_fru_record_header(*head) : head.error();
      if (!header) break;
      offset += kFruRecordHeaderBytes;
      const auto data = read(offset, header->length);
      if (!data && !is_malformed(data.error())) return data.error();
      if (!data) break;
      if (auto record = parse_fru_record(*header, *data)) out.push_back(std::move(*record));
      if (header->is_last) break;
      offset += header->length;
    }
    return out;
  }

 private:
  static bool is_malformed(const Error& error) {
    return error.code == Code::Corrupt || error.code == Code::Invalid || is_absent(error);
  }
  static Result<std::optional<FruFields>> keep_going(const Error& error) {
    if (is_malformed(error)) return std::optional<FruFields>();
    return error;
  }

  Client& client_;
  std::uint8_t device_;
  const Call& call_;
  std::size_t size_;
  std::size_t chunk_ = kFirstChunk;
};

}  // namespace

Request chassis_status_request() { return {.net_fn = NetFn::Chassis, .command = 0x01, .name = "Get Chassis Status"}; }

Result<PowerState> parse_chassis_status(Bytes data) {
  // Three bytes by the specification; the power bit is in the first, and BMCs that
  // cut the rest are known.
  if (data.empty()) return Error{Code::Corrupt, "Get Chassis Status: an answer without a state"};
  return (data[0] & 0x01U) != 0 ? PowerState::On : PowerState::Off;
}

Request chassis_control_request(PowerAction action) {
  std::uint8_t control = 0;
  switch (action) {
    case PowerAction::HardOff:
      control = 0x00;
      break;
    case PowerAction::On:
      control = 0x01;
      break;
    case PowerAction::Reset:
      control = 0x03;
      break;
    case PowerAction::SoftOff:
      control = 0x05;
      break;
  }
  return {.net_fn = NetFn::Chassis, .command = 0x02, .data = {control}, .name = "Chassis Control"};
}

Repeat repeat_of(PowerAction action) noexcept {
  const bool harmless = action == PowerAction::On || action == PowerAction::HardOff;
  return harmless ? Repeat::WhileUnanswered : Repeat::Never;
}

Request device_id_request() { return {.net_fn = NetFn::App, .command = 0x01, .name = "Get Device ID"}; }

Result<DeviceId> parse_device_id(Bytes data) {
  Reader in(data);
  DeviceId id;
  in.bytes(2);                 // device, revision
  id.major = in.u8() & 0x7FU;  // bit 7: starting, or firmware update in progress
  id.minor = in.u8();
  in.bytes(2);  // IPMI version, what it supports
  id.manufacturer = in.u16();
  id.manufacturer |= (in.u8() & 0x0FU) << 16U;
  id.product = in.u16();
  if (!in.ok()) return Error{Code::Corrupt, "Get Device ID: an answer that is too short"};
  if (in.left() >= 4) id.auxiliary = in.u32();
  return id;
}

Result<> learn_from_device_id(Client& client, const Call& call) {
  if (client.knows_maker()) return {};
  const auto reply = client.ask_present(device_id_request(), call);
  if (!reply) return reply.error();
  const auto id = parse_device_id(reply->data);
  client.learn_maker(reply->completion == kOk && id ? id->manufacturer : 0);
  return {};
}

Result<std::optional<Guid>> read_guid(Client& client, const Call& call) {
  const Request request{.net_fn = NetFn::App, .command = 0x37, .name = "Get System GUID"};
  const auto data = client.ask_data(request, call);
  if (!data) {
    if (is_absent(data.error())) return std::optional<Guid>();
    return data.error();
  }
  Guid guid{};
  if (data->size() < guid.size()) return Error{Code::Corrupt, "Get System GUID: an answer that is too short"};
  std::copy_n(data->begin(), guid.size(), guid.begin());
  return std::optional<Guid>(guid);
}

Result<std::optional<Fru>> read_fru(Client& client, std::uint8_t device, FruParts parts, const Call& call) {
  const Request info{.net_fn = NetFn::Storage,
                     .command = 0x10,
                     .data = {device},
                     .name = "Get FRU Inventory Area Info"};  // section 34.1
  const auto answer = client.ask_data(info, call);
  if (!answer) {
    if (is_absent(answer.error())) return std::optional<Fru>();
    return answer.error();
  }
  Reader in(*answer);
  const std::size_t size = in.u16();
  const std::uint8_t access = in.u8();
  // Bit 0: the device counts in words of two bytes; no BMC of this century does.
  if (!in.ok() || size < kFruHeaderBytes || size > kMaxFruBytes || (access & 1U) != 0) return std::optional<Fru>();
  FruReader reader(client, device, call, size);
  const auto head = reader.read(0, kFruHeaderBytes);
  if (!head) {
    if (head.error().code == Code::Corrupt || is_absent(head.error())) return std::optional<Fru>();
    return head.error();
  }
  const auto header = parse_fru_header(*head);
  if (!header) return std::optional<Fru>();
  Fru fru;
  const std::pair<FruArea, std::size_t> areas[] = {
      {FruArea::Chassis, header->chassis}, {FruArea::Board, header->board}, {FruArea::Product, header->product}};
  for (const auto& [kind, offset] : areas) {
    auto area = reader.area(kind, offset);
    if (!area) return std::move(area.error());
    auto& place = kind == FruArea::Chassis ? fru.chassis : kind == FruArea::Board ? fru.board : fru.product;
    place = std::move(*area);
  }
  if (parts == FruParts::AreasAndRecords) {
    auto records = reader.records(header->records);
    if (!records) return std::move(records.error());
    fru.records = std::move(*records);
  }
  return std::optional<Fru>(std::move(fru));
}

}  // namespace nimbus::ipmi
