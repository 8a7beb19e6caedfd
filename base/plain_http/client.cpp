#include "base/plain_http/client.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/net/socket.hpp"
#include "base/net/wait.hpp"
#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

constexpr std::size_t kMostHead = 16 * 1024;
constexpr std::chrono::seconds kConnect{10};
constexpr int kMostRedirects = 5;

Error cut(std::string_view why) { return {Code::Unreachable, "connection lost: " + std::string(why)}; }

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

struct Head {
  int status = 0;
  std::string location;
  std::optional<std::int64_t> length;
  std::optional<std::int64_t> range_begin;
};

/// One connection, one question, one answer.
class Exchange {
 public:
  Exchange(const Call& call, const Clock& clock) : call_(call), clock_(clock) {}
  void deadline(MonoTime when) { call_.deadline = when; }
  /// Asked of each address before anything is sent there.
  void only(std::function<Result<>(const SocketAddress&)> allowed) { allowed_ = std::move(allowed); }

  Result<> ask(const HttpUrl& url, std::string_view method, std::string_view headers, std::string_view body,
               const std::string& unix_socket = {}) {
    if (auto connected = unix_socket.empty() ? connect(url) : connect_local(unix_socket); !connected) return connected;
    std::string text = std::string(method) + " " + url.target + " HTTP/1.1\r\nHost: " + url.host + ":" +
                       std::to_string(url.port) + "\r\nConnection: close\r\nAccept-Encoding: identity\r\n" +
                       std::string(headers);
    if (!body.empty()) {
      text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    }
    text += "\r\n";
    text += body;
    return send(text);
  }

  Result<Head> head() {
    std::size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (buffer_.size() > kMostHead) return Error{Code::Corrupt, "the answer's head is too long"};
      auto got = receive();
      if (!got) return std::move(got.error());
      if (*got == 0) return cut("no answer");
    }
    const std::string text = buffer_.substr(0, end);
    buffer_.erase(0, end + 4);
    return parse_head(text);
  }

  /// Hands the body to `sink`.
  Result<> body(std::optional<std::int64_t> length, const ByteSink& sink, std::chrono::milliseconds stall) {
    std::int64_t left = length.value_or(0);
    while (!length || left > 0) {
      if (buffer_.empty()) {
        if (stall.count() > 0) call_.deadline = clock_.now() + stall;
        auto got = receive();
        if (!got) return std::move(got.error());
        if (*got == 0) return length ? Result<>(cut(std::to_string(left) + " bytes are missing")) : Result<>();
      }
      const std::size_t take = length ? std::min(buffer_.size(), static_cast<std::size_t>(left)) : buffer_.size();
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(buffer_.data());
      if (auto taken = sink({bytes, take}); !taken) return taken;
      left -= static_cast<std::int64_t>(take);
      buffer_.erase(0, take);
    }
    return {};
  }

 private:
  Result<> connect(const HttpUrl& url) {
    const auto addresses = resolve({url.host, url.port});
    if (!addresses) return addresses.error();
    Error last{Code::Unreachable, url.host + " has no address"};
    for (const auto& address : *addresses) {
      if (allowed_) {
        if (auto allowed = allowed_(address); !allowed) {
          last = allowed.error();
          continue;
        }
      }
      auto socket = connect_tcp(address);
      if (!socket) {
        last = socket.error();
        continue;
      }
      const Call limited{std::min(call_.deadline, clock_.now() + kConnect), call_.stop};
      auto waited = wait_ready(*socket, POLLOUT, limited, clock_);
      auto connected = waited ? connect_result(*socket) : std::move(waited);
      if (connected) {
        socket_ = std::move(*socket);
        return {};
      }
      last = connected.error();
    }
    return last;
  }

  Result<> connect_local(const std::string& path) {
    auto socket = connect_unix(path);
    if (!socket) return std::move(socket.error());
    socket_ = std::move(*socket);
    return {};
  }

  Result<> send(std::string_view text) {
    while (!text.empty()) {
      auto sent = send_some(socket_, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
      if (!sent) return std::move(sent.error());
      if (*sent)
        text.remove_prefix(**sent);
      else if (auto waited = wait_ready(socket_, POLLOUT, call_, clock_); !waited)
        return waited;
    }
    return {};
  }

  Result<std::size_t> receive() {
    while (true) {
      auto got = receive_some(socket_, piece_);
      if (!got) return cut(got.error().message);
      if (*got) {
        buffer_.append(reinterpret_cast<const char*>(piece_.data()), **got);
        return **got;
      }
      if (auto waited = wait_ready(socket_, POLLIN, call_, clock_); !waited) return std::move(waited.error());
    }
  }

  static Result<Head> parse_head(const std::string& text) {
    const auto lines = split(text, '\n');
    const std::string_view first = trim(lines.front());
    if (!first.starts_with("HTTP/1.") || first.size() < 12) return Error{Code::Corrupt, "the answer is no HTTP"};
    Head head;
    head.status = static_cast<int>(number_of(first.substr(9, 3)).value_or(0));
    for (std::size_t i = 1; i < lines.size(); ++i) {
      const std::string_view line = trim(lines[i]);
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      const std::string name = to_lower(line.substr(0, colon));
      const std::string_view value = trim(line.substr(colon + 1));
      if (name == "transfer-encoding") return Error{Code::Corrupt, "the answer has no length (Transfer-Encoding)"};
      if (name == "content-length") {
        head.length = number_of(value);
        if (!head.length) return Error{Code::Corrupt, "the answer's length is malformed"};
      }
      if (name == "location") head.location = value;
      // "bytes 100-199/200"
      if (name == "content-range" && value.starts_with("bytes ")) {
        head.range_begin = number_of(value.substr(6, value.find('-') - 6));
      }
    }
    return head;
  }

  Call call_;
  const Clock& clock_;
  std::function<Result<>(const SocketAddress&)> allowed_;
  FileDescriptor socket_;
  std::string buffer_;
  std::array<std::uint8_t, std::size_t{64} << 10U> piece_{};
};

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Error refused(int status, const std::string& url) {
  const std::string text = url + " answers " + std::to_string(status);
  if (status == 404) return {Code::NotFound, text};
  if (status == 401 || status == 403) return {Code::Auth, text};
  if (status == 409) return {Code::Conflict, text};
  if (status >= 500) return {Code::Busy, text};
  return {Code::Invalid, text};
}

}  // namespace

Result<HttpUrl> parse_http_url(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  const Error bad{Code::Invalid, "not a http:// URL: " + printable(url, 200)};
  if (!url.starts_with(kScheme) || printable(url, url.size() + 1) != url || url.find(' ') != std::string_view::npos) {
    return bad;
  }
  url.remove_prefix(kScheme.size());
  const std::size_t slash = url.find('/');
  const std::string_view authority = url.substr(0, slash);
  if (authority.empty() || authority.find('@') != std::string_view::npos) return bad;
  const auto where = parse_host_port(authority, 80);
  if (!where) return where.error();
  HttpUrl out{.host = where->host, .port = where->port, .target = "/"};
  if (slash != std::string_view::npos) out.target = url.substr(slash);
  return out;
}

Result<HttpUrl> parse_web_url(std::string_view url) {
  constexpr std::string_view kSecure = "https://";
  if (!url.starts_with(kSecure)) return parse_http_url(url);
  auto parsed = parse_http_url("http://" + std::string(url.substr(kSecure.size())));
  if (!parsed) return Error{Code::Invalid, "not a https:// URL: " + printable(url, 200)};
  const auto authority = url.substr(kSecure.size(), url.find('/', kSecure.size()) - kSecure.size());
  if (const auto where = parse_host_port(authority, 443)) parsed->port = where->port;
  return parsed;
}

Result<std::string> http_request(const HttpQuestion& question, const Call& call, const Clock& clock) {
  auto url = parse_http_url(question.url);
  if (!url) return std::move(url.error());
  auto exchange = std::make_unique<Exchange>(call, clock);
  if (auto asked = exchange->ask(*url, question.method, question.headers, question.body, question.unix_socket);
      !asked) {
    return std::move(asked.error());
  }
  auto head = exchange->head();
  if (!head) return std::move(head.error());
  if (head->status < 200 || head->status > 299) return refused(head->status, question.url);
  std::string body;
  const ByteSink sink = [&](std::span<const std::uint8_t> bytes) -> Result<> {
    if (body.size() + bytes.size() > question.body_limit) return Error{Code::Corrupt, "the answer is too long"};
    body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  };
  if (auto read = exchange->body(head->length, sink, {}); !read) return std::move(read.error());
  return body;
}

Result<> HttpSource::read(std::int64_t offset, const ByteSink& sink) {
  std::string at = url_;
  for (int hops = 0; hops <= kMostRedirects; ++hops) {
    auto next = read_from(at, offset, sink);
    if (!next) return std::move(next.error());
    if (next->empty()) return {};
    if (!rules_.redirect) return Error{Code::Untrusted, at + " leads elsewhere, which is not followed"};
    at = std::move(*next);
    if (auto allowed = rules_.redirect(at); !allowed) return allowed;
  }
  return Error{Code::Untrusted, url_ + " leads from one place to the next, without end"};
}

/// Where to ask instead; empty: all was read.
Result<std::string> HttpSource::read_from(const std::string& from, std::int64_t offset, const ByteSink& sink) {
  auto url = parse_http_url(from);
  if (!url) return std::move(url.error());
  auto exchange = std::make_unique<Exchange>(Call{clock_.now() + stall_}, clock_);
  exchange->only(rules_.address);
  const std::string range = offset > 0 ? "Range: bytes=" + std::to_string(offset) + "-\r\n" : "";
  if (auto asked = exchange->ask(*url, "GET", range, ""); !asked) return std::move(asked.error());
  auto head = exchange->head();
  if (!head) return std::move(head.error());
  if (is_redirect(head->status) && !head->location.empty()) {
    if (head->location.front() != '/') return head->location;
    return "http://" + HostPort{url->host, url->port}.text() + head->location;
  }
  if (head->status != 200 && head->status != 206) return refused(head->status, from);
  if (!head->length) return Error{Code::Corrupt, from + " does not say how long it is"};
  const std::int64_t begin = head->status == 206 ? head->range_begin.value_or(-1) : 0;
  if (begin != 0 && begin != offset) return Error{Code::Corrupt, from + " answers another range than asked for"};
  std::int64_t skip = offset - begin;  // a server without ranges begins anew
  const ByteSink after = [&](std::span<const std::uint8_t> bytes) -> Result<> {
    const auto drop = static_cast<std::size_t>(std::min(skip, static_cast<std::int64_t>(bytes.size())));
    skip -= static_cast<std::int64_t>(drop);
    return drop == bytes.size() ? Result<>() : sink(bytes.subspan(drop));
  };
  auto read = exchange->body(head->length, after, stall_);
  if (!read) return std::move(read.error());
  return std::string();
}

}  // namespace nimbus::base
