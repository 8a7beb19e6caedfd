// The image of the tests, made by hand from the specification, not by the product.
#include <cstring>

#include "support.hpp"

namespace nimbus::installer::test {
namespace {

std::uint32_t table_crc(const std::uint8_t* at, std::size_t size) {
  return static_cast<std::uint32_t>(::crc32(0, at, static_cast<uInt>(size)));
}
template <class T>
void poke(Bytes& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

}  // namespace

Bytes gpt_image(std::size_t bytes) {
  Bytes image = noise(bytes);
  std::fill(image.begin(), image.begin() + kMib, std::uint8_t{0});
  image[446 + 4] = 0xEE;
  image[510] = 0x55;
  image[511] = 0xAA;
  const std::uint64_t last = bytes / 512 - 1;
  constexpr std::size_t kHeader = 512, kEntries = 1024;
  const std::array<std::uint8_t, 16> root{0xE3, 0xBC, 0x68, 0x4F, 0xCD, 0xE8, 0xB1, 0x4D,
                                          0x96, 0xE7, 0xFB, 0xCA, 0xF9, 0x84, 0xB7, 0x09};
  const std::array<std::uint8_t, 16> bios{0x48, 0x61, 0x68, 0x21, 0x49, 0x64, 0x6F, 0x6E,
                                          0x74, 0x4E, 0x65, 0x65, 0x64, 0x45, 0x46, 0x49};
  std::memcpy(image.data() + kEntries, bios.data(), 16);
  poke<std::uint64_t>(image, kEntries + 32, 2048);
  poke<std::uint64_t>(image, kEntries + 40, 4095);
  std::memcpy(image.data() + kEntries + 128, root.data(), 16);
  poke<std::uint64_t>(image, kEntries + 128 + 32, 4096);
  poke<std::uint64_t>(image, kEntries + 128 + 40, last - 2048);
  std::memcpy(image.data() + kHeader, "EFI PART", 8);
  poke<std::uint32_t>(image, kHeader + 8, 0x00010000);
  poke<std::uint32_t>(image, kHeader + 12, 92);
  poke<std::uint64_t>(image, kHeader + 24, 1);
  poke<std::uint64_t>(image, kHeader + 32, last);
  poke<std::uint64_t>(image, kHeader + 40, 34);
  poke<std::uint64_t>(image, kHeader + 48, last - 33);
  poke<std::uint64_t>(image, kHeader + 72, 2);
  poke<std::uint32_t>(image, kHeader + 80, 128);
  poke<std::uint32_t>(image, kHeader + 84, 128);
  poke<std::uint32_t>(image, kHeader + 88, table_crc(image.data() + kEntries, 128 * 128));
  poke<std::uint32_t>(image, kHeader + 16, table_crc(image.data() + kHeader, 92));
  return image;
}

}  // namespace nimbus::installer::test
