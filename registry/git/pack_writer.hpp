// PackWriter: the objects of one commit as a pack and its index (gitformat-pack,
// version 2 of both), whole objects without deltas: what is pushed is packed by Git
// anew, and the mirror from time to time. Searching deltas took longer than all else.
//
// Memory: all of the pack. Thread rule: one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/compress/deflater.hpp"
#include "core/result.hpp"

namespace nimbus::registry {

class PackWriter {
 public:
  using Id = std::array<std::uint8_t, 20>;
  enum class Kind : std::uint8_t { Commit = 1, Tree = 2, Blob = 3 };  // gitformat-pack, "Object types"

  PackWriter();

  /// `id` is that of `bytes`; each object once.
  void add(const Id& id, Kind kind, std::string_view bytes);

  /// Writes both files into `folder` ("…/objects/pack"), synced to disk, the index last: without it Git
  /// does not see the pack. Nothing was added: writes nothing. Once; the object is used up.
  /// Errors: Internal, also for more than 2 GiB.
  Result<> write(const std::string& folder);

 private:
  struct Entry {
    Id id{};
    std::uint32_t offset = 0;
    std::uint32_t crc = 0;
  };
  std::string index_of(std::string_view pack_checksum) const;

  base::Deflater deflater_;
  std::string pack_;
  std::vector<Entry> entries_;
};

}  // namespace nimbus::registry
