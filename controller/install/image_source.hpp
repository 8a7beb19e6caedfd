// Where an image may come from. Pure; no name is looked up: the installer asks the same of
// the address that it finds (installer/source_rules.hpp).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "controller/install/wish.hpp"

namespace nimbus::controller {

/// Networks of the provider that no image comes from: of provisioning, and of BMCs.
std::vector<std::string> image_never(const Wishes& wishes);
/// Those, and the BMCs that are numbers and lie elsewhere, as networks of their own
/// ("192.0.2.9/32"); if these are more than `most` of a family, fewer and wider ones.
std::vector<std::string> image_never(const Wishes& wishes, const std::set<std::string>& bmcs, std::size_t most);
/// Of a plan: it travels to a machine, and waits with those of others in nimbus-boot.
inline constexpr std::size_t kMostBmcsOfPlan = 256;
/// Of an order for the cache: asked again and again, but by one who keeps none.
inline constexpr std::size_t kMostBmcsOfOrder = 10'000;

/// Whether a machine can fetch from it: the installer speaks no TLS.
bool is_plain(const std::string& url);

/// Why an image is not fetched from `url`; empty: it may be. `sources`: beginnings of URLs;
/// `never`: networks; `bmcs`: addresses of BMCs, as the registry writes them.
std::string refuse_source(const std::string& url, const std::vector<std::string>& sources,
                          const std::vector<std::string>& never, const std::set<std::string>& bmcs);

}  // namespace nimbus::controller
