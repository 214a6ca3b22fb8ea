// A URL → bytes, over libcurl. Several at once, in one thread; a signal ends the waiting.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace rung {

struct HttpSettings {
  std::string token = {};         // "Authorization: Bearer", for requests to `token_host` alone
  std::string token_host = {};    // a URL: its scheme, host and port are the only place where the token goes
  std::string certificates = {};  // a file of those to trust; empty: the system's
  long connect_seconds = 10;
  long stall_seconds = 20;  // so long without a byte, and the transfer has failed
};

struct HttpRequest {
  std::string url;
  bool head = false;                       // the headers alone
  bool stays = false;                      // a redirect to another host is the answer: it is not followed
  std::uint64_t first = 0;                 // the bytes from here on …
  std::optional<std::uint64_t> last = {};  // … to this one, or to the end
};

struct HttpAnswer {
  long status = 0;                                  // of the last answer; 0: none came
  std::map<std::string, std::string> headers = {};  // of the last answer, names in lower case
  std::string url = {};                             // where redirects led
  std::string problem = {};                         // why no whole answer came, in one line; empty: one came
  bool is_final = false;  // to ask again would not help: the problem is no accident of the network

  bool is_whole() const { return problem.empty(); }
  bool is_good() const { return is_whole() && status >= 200 && status < 300; }
  std::string header(const char* name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

// What becomes of one request. Called from Http::step().
class HttpReceiver {
 public:
  virtual ~HttpReceiver() = default;
  // Bytes of the last answer's body, whose status and headers are known. False: enough, let it end.
  virtual bool body(const HttpAnswer& so_far, std::string_view bytes) = 0;
  virtual void done(const HttpAnswer& answer) = 0;
};

// Follows redirects itself, so that it decides what travels where: the token goes to `token_host` alone, and from https
// no redirect leads to http.
class Http {
 public:
  explicit Http(HttpSettings settings);  // throws Error: libcurl is not there
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  // The receiver lives until it was told done(), or is forgotten.
  void start(HttpRequest request, HttpReceiver& receiver);
  void forget(const HttpReceiver& receiver);  // ends what runs for it, without a word to it
  // Waits for something to happen, at most so long, and does it. Throws Interrupted.
  void step(int milliseconds);

  // The same, waited for. Of a longer body the first `limit` bytes come, and a problem.
  HttpAnswer get(const HttpRequest& request, std::string& body, std::size_t limit);

  // A part of a URL's path, with everything but letters, digits, - _ . ~ as %XX.
  static std::string escaped(std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// scheme://host:port, in lower case and with the port spelled out; empty: it is no URL of http or https.
std::string origin_of(const std::string& url);

}  // namespace rung
