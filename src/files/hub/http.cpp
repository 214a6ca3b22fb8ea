#include "files/hub/http.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <list>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/printable.h"
#include "base/signals.h"
#include "files/hub/curl.h"
#include "files/hub/name.h"

namespace rung {

std::string Http::escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (byte < 0x80 && std::isalnum(byte) != 0) || std::string_view("-_.~").find(c) != std::string::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

#ifdef RUNG_CURL

namespace {

constexpr long kReceivedBytes = 256 << 10;
constexpr int kMostRedirects = 10;
constexpr std::size_t kMostHeaderBytes = 256 << 10;  // of one answer, all together

// A part of a URL as libcurl understands it: to take it apart by rules of our own would be to send the token where
// libcurl goes and we thought that it would not.
std::string part_of(const std::string& url, CURLUPart part) {
  CURLU* parsed = curl().url();
  std::string out;
  char* text = nullptr;
  if (curl().url_set(parsed, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
      curl().url_get(parsed, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK) {
    out = text;
    curl().free(text);
  }
  curl().url_cleanup(parsed);
  return out;
}

struct Transfer {
  Transfer(HttpRequest r, HttpReceiver& to) : request(std::move(r)), receiver(to) {}
  ~Transfer() {
    curl().list_free(headers);
    curl().easy_cleanup(easy);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  HttpRequest request;
  HttpReceiver& receiver;
  HttpAnswer answer;
  int redirects = 0;
  std::size_t header_bytes = 0;
  bool enough = false;        // the receiver wants no more
  std::exception_ptr thrown;  // by the receiver; C must not see it
  char words[CURL_ERROR_SIZE] = {};
};

long status_of(const Transfer& transfer) {
  long status = 0;
  curl().info(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// "Name: value", or "HTTP/1.1 200 OK", with which the headers of another answer begin.
std::size_t on_header(char* text, std::size_t, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string_view line(text, count);
  while (line.ends_with('\n') || line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    transfer.answer.headers.clear();
    transfer.header_bytes = 0;
  }
  transfer.header_bytes += count;
  if (transfer.header_bytes > kMostHeaderBytes) return 0;
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return count;
  const std::string name = lower_case(line.substr(0, colon));
  line.remove_prefix(colon + 1);
  while (line.starts_with(' ')) line.remove_prefix(1);
  transfer.answer.headers[name] = line;
  return count;
}

std::size_t on_body(char* text, std::size_t, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.answer.status = status_of(transfer);
  if (is_redirect(transfer.answer.status)) return count;
  try {
    if (transfer.receiver.body(transfer.answer, {text, count})) return count;
    transfer.enough = true;
  } catch (...) {
    transfer.thrown = std::current_exception();
  }
  return 0;  // ends the transfer
}

// What no second try would change.
bool is_final(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_WRITE_ERROR: return true;
    default: return false;
  }
}

}  // namespace

std::string origin_of(const std::string& url) {
  const std::string scheme = part_of(url, CURLUPART_SCHEME), host = lower_case(part_of(url, CURLUPART_HOST));
  if ((scheme != "http" && scheme != "https") || host.empty()) return {};
  return fmt::format("{}://{}:{}", scheme, host, part_of(url, CURLUPART_PORT));
}

struct Http::Impl {
  explicit Impl(HttpSettings s) : settings(std::move(s)), multi(curl().multi_init()) {
    token_origin = settings.token_host.empty() ? "" : origin_of(settings.token_host);
  }
  ~Impl() {
    for (Transfer& t : transfers) curl().multi_remove(multi, t.easy);
    transfers.clear();
    curl().multi_cleanup(multi);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void begin(Transfer& t) const;
  void add_headers(Transfer& t) const;
  // To where the answer points; false: that is not followed, and the answer says why or is what was wanted.
  bool redirect(Transfer& t) const;
  void finish(std::list<Transfer>::iterator transfer, CURLcode code);

  HttpSettings settings;
  std::string token_origin;
  CURLM* multi;
  std::list<Transfer> transfers;
};

void Http::Impl::add_headers(Transfer& t) const {
  curl().list_free(std::exchange(t.headers, nullptr));
  std::vector<std::string> lines{"Accept-Encoding: identity"};  // a size is the file's, not of what it is packed into
  if (t.request.first > 0 || t.request.last) {
    lines.push_back(fmt::format("Range: bytes={}-{}", t.request.first,
                                t.request.last ? std::to_string(*t.request.last) : std::string()));
  }
  if (!settings.token.empty() && !token_origin.empty() && origin_of(t.request.url) == token_origin) {
    lines.push_back("Authorization: Bearer " + settings.token);
  }
  for (const std::string& line : lines) t.headers = curl().list_append(t.headers, line.c_str());
  curl().set(t.easy, CURLOPT_HTTPHEADER, t.headers);
}

void Http::Impl::begin(Transfer& t) const {
  t.easy = curl().easy_init();
  const auto set = [&](CURLoption option, auto value) { curl().set(t.easy, option, value); };
  set(CURLOPT_URL, t.request.url.c_str());
  set(CURLOPT_PRIVATE, &t);
  set(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
  set(CURLOPT_PROTOCOLS_STR, "http,https");
#endif
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_USERAGENT, "rung/" RUNG_VERSION);
  set(CURLOPT_BUFFERSIZE, kReceivedBytes);
  set(CURLOPT_ERRORBUFFER, t.words);
  set(CURLOPT_CONNECTTIMEOUT, settings.connect_seconds);
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, settings.stall_seconds);
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, &t);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, &t);
  if (t.request.head) set(CURLOPT_NOBODY, 1L);
  if (!settings.certificates.empty()) set(CURLOPT_CAINFO, settings.certificates.c_str());
  add_headers(t);
}

bool Http::Impl::redirect(Transfer& t) const {
  if (!is_redirect(t.answer.status)) return false;
  char* where = nullptr;
  curl().info(t.easy, CURLINFO_REDIRECT_URL, &where);
  if (where == nullptr) return false;
  const std::string from = origin_of(t.request.url), to = origin_of(where);
  if (t.request.stays && to != from) return false;
  const auto refuse = [&](std::string why) {
    t.answer.problem = std::move(why);
    t.answer.is_final = true;
    return false;
  };
  if (to.empty()) return refuse(fmt::format("{} sends on to what is no address of http or https", from));
  if (from.starts_with("https:") && to.starts_with("http:")) {
    return refuse(fmt::format("{} sends on to {}, which is not encrypted: refused", from, to));
  }
  if (++t.redirects > kMostRedirects)
    return refuse(fmt::format("{} sends on more than {} times", from, kMostRedirects));
  t.request.url = where;
  curl().set(t.easy, CURLOPT_URL, t.request.url.c_str());
  add_headers(t);
  return true;
}

void Http::Impl::finish(std::list<Transfer>::iterator transfer, CURLcode code) {
  Transfer& t = *transfer;
  t.answer.status = status_of(t);
  curl().multi_remove(multi, t.easy);
  if (code == CURLE_OK && redirect(t)) {
    t.answer = {};
    curl().multi_add(multi, t.easy);
    return;
  }
  t.answer.url = t.request.url;
  if (code != CURLE_OK) {
    t.answer.problem =
        t.enough ? "more came than was asked for" : printable(t.words[0] != '\0' ? t.words : curl().words(code), 200);
    t.answer.is_final = is_final(code);
    if (code == CURLE_SSL_CACERT_BADFILE || code == CURLE_PEER_FAILED_VERIFICATION) {
      t.answer.problem += " (certificates come with Debian's ca-certificates, or are named in SSL_CERT_FILE)";
    }
  }
  std::list<Transfer> ended;
  ended.splice(ended.begin(), transfers, transfer);
  if (t.thrown) std::rethrow_exception(t.thrown);
  t.receiver.done(t.answer);
}

Http::Http(HttpSettings settings) : impl_(std::make_unique<Impl>(std::move(settings))) {}
Http::~Http() = default;

void Http::start(HttpRequest request, HttpReceiver& receiver) {
  Transfer& t = impl_->transfers.emplace_back(std::move(request), receiver);
  impl_->begin(t);
  curl().multi_add(impl_->multi, t.easy);
}

void Http::forget(const HttpReceiver& receiver) {
  impl_->transfers.remove_if([&](const Transfer& t) {
    if (&t.receiver != &receiver) return false;
    curl().multi_remove(impl_->multi, t.easy);
    return true;
  });
}

void Http::step(int milliseconds) {
  SignalWatch::check();
  int running = 0;
  curl().multi_perform(impl_->multi, &running);
  bool ended = false;
  int left = 0;
  while (const CURLMsg* message = curl().multi_info(impl_->multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    const CURL* easy = message->easy_handle;
    const auto transfer = std::find_if(impl_->transfers.begin(), impl_->transfers.end(),
                                       [&](const Transfer& t) { return t.easy == easy; });
    if (transfer == impl_->transfers.end()) continue;
    impl_->finish(transfer, code);
    ended = true;
  }
  if (!ended) curl().multi_poll(impl_->multi, nullptr, 0, milliseconds, nullptr);
  SignalWatch::check();
}

#else

namespace {
[[noreturn]] void fail_without_curl() {
  fail(
      "this program was built without libcurl, which pulling from the hub needs (on Debian: apt-get install "
      "libcurl4-openssl-dev, then build again)");
}
}  // namespace

std::string origin_of(const std::string&) { return {}; }

struct Http::Impl {};

Http::Http(HttpSettings) { fail_without_curl(); }
Http::~Http() = default;
void Http::start(HttpRequest, HttpReceiver&) { fail_without_curl(); }
void Http::forget(const HttpReceiver&) {}
void Http::step(int) { fail_without_curl(); }

#endif

HttpAnswer Http::get(const HttpRequest& request, std::string& body, std::size_t limit) {
  class Whole : public HttpReceiver {
   public:
    Whole(Http& http, std::string& text, std::size_t most) : http_(http), text_(text), most_(most) {}
    ~Whole() override { http_.forget(*this); }  // where an exception ends the waiting
    bool body(const HttpAnswer&, std::string_view bytes) override {
      const std::size_t room = most_ - text_.size();
      text_ += bytes.substr(0, room);
      return bytes.size() <= room;
    }
    void done(const HttpAnswer& a) override { answer = a; }
    std::optional<HttpAnswer> answer;

   private:
    Http& http_;
    std::string& text_;
    const std::size_t most_;
  };
  body.clear();
  Whole whole(*this, body, limit);
  start(request, whole);
  while (!whole.answer) step(1000);
  return *whole.answer;
}

}  // namespace rung
