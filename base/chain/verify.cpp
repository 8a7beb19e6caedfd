// The reading end of a chain.
#include <fmt/core.h>

#include "base/chain/chain.hpp"
#include "base/chain/line.hpp"
#include "base/file/file.hpp"

namespace nimbus::base {
namespace {

constexpr std::size_t kMostFaults = 20;

class Walk {
 public:
  Walk(std::string folder, std::optional<ChainHead> anchor) : folder_(std::move(folder)), anchor_(std::move(anchor)) {}

  Result<ChainReport> run() {
    auto names = chain::file_names(folder_);
    if (!names) return std::move(names.error());
    for (std::size_t i = 0; i < names->size(); ++i) {
      if (auto read = file((*names)[i], i + 1 == names->size()); !read) return std::move(read.error());
    }
    judge_oldest(*names);
    judge_anchor();
    return std::move(report_);
  }

 private:
  void fault(const std::string& file, std::size_t line, std::string what) {
    if (report_.faults.size() < kMostFaults) report_.faults.push_back({file, line, std::move(what)});
  }

  Result<> file(const std::string& name, bool newest) {
    auto text = read_file(folder_ + "/" + name, chain::kMostFileBytes);
    if (!text) return std::move(text.error());
    std::string_view rest = *text;
    std::size_t number = 0;
    while (!rest.empty()) {
      number += 1;
      const auto end = rest.find('\n');
      if (end == std::string_view::npos) {
        if (!newest) fault(name, number, "ends in the middle of a line");
        report_.torn_bytes = rest.size();
        break;
      }
      line(name, number, rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    if (number == 0 && !newest) fault(name, 0, "is empty");
    return {};
  }

  void line(const std::string& name, std::size_t number, std::string_view text) {
    std::string why;
    const auto parsed = chain::parse_line(text, why);
    report_.records += 1;
    if (!parsed) {
      fault(name, number, why);
      lost_ = true;  // what follows cannot be tied to what came before
      return;
    }
    if (number == 1 && chain::file_name(parsed->head.seq) != name)
      fault(name, number, "is not the line that the file's name says");
    const bool first = report_.first == 0;
    if (first) {
      report_.first = parsed->head.seq;
      if (parsed->head.seq == 1 && parsed->previous != chain::kFirstPrevious)
        fault(name, number, "the first line names one before it");
    } else if (parsed->head.seq != report_.head.seq + 1 && !lost_) {
      fault(name, number,
            fmt::format("line {} comes after line {}: some were removed, repeated or reordered", parsed->head.seq,
                        report_.head.seq));
    } else if (parsed->previous != report_.head.hash && !lost_) {
      fault(name, number, "does not follow the line before it");
    }
    lost_ = false;
    report_.head = parsed->head;
    if (parsed->json["type"].as_string() == "rotate") oldest_ = parsed->json["oldest"].as_string().value_or("");
    if (anchor_ && parsed->head.seq == anchor_->seq) {
      anchor_seen_ = true;
      if (parsed->head.hash != anchor_->hash) fault(name, number, "differs from the head that was kept elsewhere");
    }
  }

  /// Files that rotation did not remove must be there.
  void judge_oldest(const std::vector<std::string>& names) {
    if (names.empty()) return;
    const std::string expected = oldest_.empty() ? chain::file_name(1) : oldest_;
    // A crash between the new file and the removal of old ones leaves more, never less.
    if (names.front() > expected) fault(names.front(), 1, "older files are missing, from " + expected + " on");
  }

  void judge_anchor() {
    if (!anchor_ || anchor_->seq == 0 || anchor_seen_) return;
    if (report_.first != 0 && anchor_->seq < report_.first) return;  // rotated away
    fault("", 0,
          fmt::format("the chain ends at line {}, but line {} is known elsewhere: the end was cut off",
                      report_.head.seq, anchor_->seq));
  }

  const std::string folder_;
  const std::optional<ChainHead> anchor_;
  ChainReport report_;
  std::string oldest_;
  bool anchor_seen_ = false;
  bool lost_ = false;
};

}  // namespace

Result<ChainReport> verify_chain(const std::string& folder, const std::optional<ChainHead>& anchor) {
  return Walk(folder, anchor).run();
}

Result<std::vector<Json>> read_chain(const std::string& folder, std::size_t most) {
  auto names = chain::file_names(folder);
  if (!names) return std::move(names.error());
  std::vector<Json> lines;
  for (const auto& name : *names) {
    auto text = read_file(folder + "/" + name, chain::kMostFileBytes);
    if (!text) return std::move(text.error());
    std::string_view rest = *text;
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      if (end == std::string_view::npos) break;
      std::string why;
      if (auto line = chain::parse_line(rest.substr(0, end), why)) lines.push_back(std::move(line->json));
      rest.remove_prefix(end + 1);
      if (lines.size() > 2 * most) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
    }
  }
  if (lines.size() > most) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
  return lines;
}

}  // namespace nimbus::base
