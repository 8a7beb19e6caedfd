#include "registry/git/pack_writer.hpp"

#include <algorithm>
#include <cstddef>

#include "base/crypto/crypto.hpp"
#include "base/file/file.hpp"
#include "base/text/text.hpp"

namespace nimbus::registry {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kMostBytes = std::size_t{1} << 31U;  // offsets in the index have 31 bits
constexpr unsigned kMode = 0444;

void put_u32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xFFU);
}

std::string header(std::uint32_t objects) {
  std::string out = "PACK";
  put_u32(out, 2);
  put_u32(out, objects);
  return out;
}

std::string_view text_of(const std::array<std::uint8_t, 20>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

PackWriter::PackWriter() : pack_(kHeader, '\0') {}

void PackWriter::add(const Id& id, Kind kind, std::string_view bytes) {
  const auto offset = pack_.size();
  // Three bits of kind and four of the size, then seven bits at a time, the lowest first.
  std::size_t rest = bytes.size();
  auto byte = static_cast<unsigned>(kind) << 4U | static_cast<unsigned>(rest & 0xFU);
  for (rest >>= 4U; rest != 0; rest >>= 7U) {
    pack_ += static_cast<char>(byte | 0x80U);
    byte = static_cast<unsigned>(rest & 0x7FU);
  }
  pack_ += static_cast<char>(byte);
  deflater_.append(bytes, pack_);
  entries_.push_back({id, static_cast<std::uint32_t>(offset), base::crc32(std::string_view(pack_).substr(offset))});
}

Result<> PackWriter::write(const std::string& folder) {
  if (entries_.empty()) return {};
  if (pack_.size() >= kMostBytes) return Error{Code::Internal, "more than 2 GiB in one pack"};
  pack_.replace(0, kHeader, header(static_cast<std::uint32_t>(entries_.size())));
  const auto checksum = base::sha1({pack_});
  pack_ += text_of(checksum);
  std::ranges::sort(entries_, {}, &Entry::id);
  const std::string name = folder + "/pack-" + base::to_hex(checksum);
  const std::string index = index_of(text_of(checksum));
  const std::array<base::NewFile, 2> files = {{{name + ".pack", pack_}, {name + ".idx", index}}};
  auto wrote = base::write_files_atomically(files, kMode);
  if (!wrote)
    wrote.error().code = Code::Internal;  // a folder that is missing here is nothing that the caller looks for
  return wrote;
}

std::string PackWriter::index_of(std::string_view pack_checksum) const {
  std::string out = "\377tOc";
  put_u32(out, 2);
  auto at = entries_.begin();
  for (unsigned first = 0; first < 256; ++first) {  // how many ids begin with this byte or a lower one
    while (at != entries_.end() && at->id[0] <= first) ++at;
    put_u32(out, static_cast<std::uint32_t>(at - entries_.begin()));
  }
  for (const auto& entry : entries_) out += text_of(entry.id);
  for (const auto& entry : entries_) put_u32(out, entry.crc);
  for (const auto& entry : entries_) put_u32(out, entry.offset);
  out += pack_checksum;
  return out += text_of(base::sha1({out}));
}

}  // namespace nimbus::registry
