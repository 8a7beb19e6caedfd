// What drifted files say, for the API and for people who ask: read from the host by a script
// of its own, only for files that have drifted, that are no secrets, and that everybody on
// the host may read; bounded. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "controller/configure/report.hpp"
#include "core/host/facts.hpp"
#include "core/host/resource.hpp"
#include "reconcilers/configure/gap.hpp"

namespace nimbus::controller {

inline constexpr std::size_t kMostTextBytes = std::size_t{64} << 10U;  // of one file; larger ones have no diff
inline constexpr std::size_t kMostTexts = 20;
inline constexpr std::size_t kMostTextOutput = std::size_t{2} << 20U;  // kMostTexts files in base64

struct TextsWish {
  struct Wanted {
    std::string path;
    std::string declared;
    bool absent = false;  // there is no such file on the host: nothing to read
    friend bool operator==(const Wanted&, const Wanted&) = default;
  };
  std::vector<Wanted> files;
  std::string of;  // tells states apart: paths and digests on both sides
};

TextsWish texts_to_read(const host::Configuration& wanted, const host::Facts& shown,
                        const std::vector<reconcilers::configure::Gap>& gaps);

std::string texts_script(const TextsWish& wish, std::string_view token);

/// The answer of a host is hostile input: what makes no sense is left out.
std::vector<DriftedText> read_texts_answer(const TextsWish& wish, std::string_view output, std::string_view token);

}  // namespace nimbus::controller
