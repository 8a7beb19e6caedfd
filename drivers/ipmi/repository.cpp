#include "drivers/ipmi/repository.hpp"

#include <set>

#include "drivers/ipmi/chunks.hpp"

namespace nimbus::ipmi {
namespace {

constexpr std::uint16_t kFirstRecord = 0x0000;
constexpr std::uint16_t kNoMoreRecords = 0xFFFF;
constexpr int kReservations = 5;

bool is_absent(const Error& error) noexcept { return error.code == Code::Unsupported || error.code == Code::NotFound; }

/// Where records are kept; both places answer in the same form.
struct Source {
  Request info;
  Request reserve;
  Request get;
};
const Source& repository_source() {  // section 33
  static const Source source{.info = {.net_fn = NetFn::Storage, .command = 0x20, .name = "Get SDR Repository Info"},
                             .reserve = {.net_fn = NetFn::Storage, .command = 0x22, .name = "Reserve SDR Repository"},
                             .get = {.net_fn = NetFn::Storage, .command = 0x23, .name = "Get SDR"}};
  return source;
}
const Source& device_source() {  // section 35
  static const Source source{
      .info = {.net_fn = NetFn::Sensor, .command = 0x20, .name = "Get Device SDR Info"},
      .reserve = {.net_fn = NetFn::Sensor, .command = 0x22, .name = "Reserve Device SDR Repository"},
      .get = {.net_fn = NetFn::Sensor, .command = 0x21, .name = "Get Device SDR"}};
  return source;
}

class Walk {
 public:
  Walk(Client& client, const Source& source, const Call& call) : client_(client), source_(source), call_(call) {}

  Result<SdrRepository::Contents> read_all() {
    SdrRepository::Contents out;
    std::set<std::uint16_t> seen;
    std::uint16_t id = kFirstRecord;
    while (id != kNoMoreRecords) {
      if (!seen.insert(id).second || seen.size() > kMaxSdrRecords) {
        return Error{Code::Corrupt, "the BMC's sensor records have no end"};
      }
      auto record = read_record(id);
      if (!record) {
        if (record.error().code == Code::NotFound && seen.size() == 1) break;  // an empty repository
        return std::move(record.error());
      }
      id = record->next;
      const auto parsed = parse_sdr(record->bytes);
      if (!parsed) continue;
      if (parsed->sensor) add(out, *parsed->sensor);
      if (parsed->fru) out.frus.push_back(*parsed->fru);
    }
    return out;
  }

 private:
  struct Record {
    std::uint16_t next = kNoMoreRecords;
    std::vector<std::uint8_t> bytes;
  };

  /// One record of a group stands for several sensors: "Fan 1", "Fan 2", …
  static void add(SdrRepository::Contents& out, const SensorRecord& record) {
    for (std::uint8_t i = 0; i < record.shared && record.number + i <= 0xFF; ++i) {
      auto one = record;
      one.number = static_cast<std::uint8_t>(record.number + i);
      one.shared = 1;
      if (record.shared > 1) one.name += " " + std::to_string(i + 1);
      out.sensors.push_back(std::move(one));
    }
  }

  Result<> reserve() {
    const auto data = client_.ask_data(source_.reserve, call_);
    if (!data) {
      if (!is_absent(data.error())) return data.error();
      reservation_ = 0;  // a BMC without reservations takes 0
      return {};
    }
    Reader in(*data);
    reservation_ = in.u16();
    return {};
  }

  /// One piece of a record; the number of the next record comes with each.
  Result<Reply> read_piece(std::uint16_t id, std::size_t offset, std::size_t count) {
    Request request = source_.get;
    Writer out(request.data);
    out.u16(reservation_);
    out.u16(id);
    out.u8(static_cast<unsigned>(offset));
    out.u8(static_cast<unsigned>(count));
    return client_.ask(request, call_);
  }

  Result<Record> read_record(std::uint16_t id) {
    for (int attempt = 0; attempt < kReservations; ++attempt) {
      if (!reserved_) {
        if (auto done = reserve(); !done) return std::move(done.error());
        reserved_ = true;
      }
      auto record = try_record(id);
      if (record || record.error().code != Code::Conflict) return record;
      reserved_ = false;  // somebody else made another reservation, or changed something
    }
    return Error{Code::Busy, "the BMC's sensor records keep changing while they are read"};
  }

  Result<Record> try_record(std::uint16_t id) {
    Record record;
    const auto read = [&](std::size_t offset, std::size_t count) {
      return read_chunks(source_.get.name, chunk_, count, [&](std::size_t from, std::size_t want) -> Result<Reply> {
        auto reply = read_piece(id, offset + from, want);
        if (!reply || reply->completion != kOk) return reply;
        if (reply->data.size() < 2) {
          return Error{Code::Corrupt, std::string(source_.get.name) + ": an answer that is too short"};
        }
        Reader in(reply->data);
        record.next = in.u16();
        reply->data.erase(reply->data.begin(), reply->data.begin() + 2);
        return reply;
      });
    };
    auto head = read(0, kSdrHeaderBytes);
    if (!head) return std::move(head.error());
    auto body = read(kSdrHeaderBytes, head->back());
    if (!body) return std::move(body.error());
    record.bytes = std::move(*head);
    record.bytes.insert(record.bytes.end(), body->begin(), body->end());
    return record;
  }

  Client& client_;
  const Source& source_;
  const Call& call_;
  std::uint16_t reservation_ = 0;
  bool reserved_ = false;
  std::size_t chunk_ = kFirstChunk;
};

}  // namespace

const SensorRecord* SdrRepository::Contents::find(std::uint8_t owner, std::uint8_t lun,
                                                  std::uint8_t number) const noexcept {
  for (const auto& sensor : sensors) {
    if (sensor.owner == owner && sensor.lun == lun && sensor.number == number) return &sensor;
  }
  return nullptr;
}

Result<const SdrRepository::Contents*> SdrRepository::contents(Client& client, const Call& call) {
  const Source* source = &repository_source();
  auto data = client.ask_data(source->info, call);
  if (!data && is_absent(data.error())) {
    source = &device_source();
    data = client.ask_data(source->info, call);
  }
  if (!data) {
    if (!is_absent(data.error())) return data.error();
    version_.reset();
    contents_ = {};
    return &contents_;
  }
  Version version{.session = client.session(), .info = *data};
  if (source == &repository_source()) {
    if (data->size() < 13) return Error{Code::Corrupt, "Get SDR Repository Info: an answer that is too short"};
    version.info.assign(data->begin() + 1, data->begin() + 3);
    version.info.insert(version.info.end(), data->begin() + 5, data->begin() + 13);
  }
  if (version_ == version) return &contents_;
  auto read = Walk(client, *source, call).read_all();
  if (!read) return Error(read.error()).with("while reading the sensor records");
  if (client.session() != version.session) {
    version_.reset();
    return Error{Code::Busy, "the BMC's session was lost while reading the sensor records"};
  }
  version_ = std::move(version);
  contents_ = std::move(*read);
  return &contents_;
}

}  // namespace nimbus::ipmi
