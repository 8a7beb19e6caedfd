#include "reconcilers/configure/shell.hpp"

#include <fmt/core.h>

namespace nimbus::reconcilers::configure {
namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '@' || c == ':';
}

}  // namespace

std::string quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else if (c != '\0') {
      out += c;
    }
  }
  return out + "'";
}

std::string print_command(std::string_view bytes) {
  std::string out;
  while (true) {
    const auto nul = bytes.find('\0');
    const auto piece = bytes.substr(0, nul);
    if (!piece.empty() || (out.empty() && nul == std::string_view::npos)) {
      out += (out.empty() ? "printf %s " : " && printf %s ") + quote(piece);
    }
    if (nul == std::string_view::npos) return "{ " + out + "; }";
    out += out.empty() ? "printf '\\000'" : " && printf '\\000'";
    bytes.remove_prefix(nul + 1);
  }
}

std::string digest_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ULL;
  }
  return fmt::format("{:016x}", hash);
}

std::string state_name(std::string_view id) {
  std::string out;
  for (const char c : id) {
    if (plain(c) && !(out.empty() && c == '.')) {
      out += c;
    } else {
      // For every file of every probe: with fmt here this function took a quarter of a large probe.
      constexpr std::string_view kDigits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
  constexpr std::size_t kMost = 200;
  if (out.size() > kMost) out = out.substr(0, kMost - 17) + "+" + digest_of(id);
  return out;
}

std::string literal_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\.*[]^$/").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string fstab_field(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\\') {
      out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string sysctl_path(std::string_view key) {
  const auto first = key.find_first_of("./");
  std::string out(key);
  if (first == std::string_view::npos || key[first] == '/') return out;
  for (char& c : out) {
    if (c == '.') {
      c = '/';
    } else if (c == '/') {
      c = '.';
    }
  }
  return out;
}

std::string folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return "/";
  return std::string(path.substr(0, slash));
}

std::string base_of(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  for (const char c : text.substr(0, most)) {
    out += (c >= ' ' && c <= '~') ? c : '?';
  }
  return out;
}

}  // namespace nimbus::reconcilers::configure
