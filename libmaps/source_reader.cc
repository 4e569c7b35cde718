#include "libmaps/source_reader.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "libconf/file.h"
#include "libconf/handle.h"
#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::io_error;
using libconf::is_space;
using libconf::Result;

enum class Kind { kIgnored, kStart, kContinuation };

Kind kind_of(std::string_view line) {
  if (line.empty()) return Kind::kIgnored;
  if (!is_space(line[0])) return line[0] == '#' ? Kind::kIgnored : Kind::kStart;
  const std::string_view visible = libconf::trim_left(line);
  return visible.empty() || visible[0] == '#' ? Kind::kIgnored : Kind::kContinuation;
}

std::string_view until_nul(std::string_view text) { return text.substr(0, text.find('\0')); }

}  // namespace

bool SourceLine::is_orphan() const { return !text.empty() && is_space(text[0]); }

Result<SourceReader> SourceReader::open_file(const std::string& file) {
  const libconf::FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return io_error("open ", file, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return io_error("fstat ", file, errno);
  if (!S_ISREG(status.st_mode) || status.st_size == 0) return read_descriptor(fd.get(), file);

  const auto size = static_cast<std::size_t>(status.st_size);
  void* mapping = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (mapping == MAP_FAILED) return libconf::io_error("mmap ", file, errno);
  ::madvise(mapping, size, MADV_SEQUENTIAL);
  SourceReader reader;
  reader.name_ = file;
  reader.mapping_ = mapping;
  reader.mapped_size_ = size;
  reader.status_ = status;
  reader.text_ = {static_cast<const char*>(mapping), size};
  return reader;
}

Result<SourceReader> SourceReader::open_rules(std::string_view type, std::string_view name) {
  if (!name.starts_with('{')) return open_file(std::string(name));
  Result<std::string> rules = inline_rules(type, name);
  if (!rules) return rules.error();
  return from_text(std::string(name), std::move(*rules));
}

Result<SourceReader> SourceReader::read_descriptor(int fd, std::string name) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return io_error("fstat ", name, errno);
  std::string text;
  char block[65536];
  while (!S_ISDIR(status.st_mode)) {
    const ssize_t count = ::read(fd, block, sizeof block);
    if (count == 0) break;
    if (count > 0) {
      text.append(block, static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return io_error("read ", name, errno);
    }
  }
  SourceReader reader = from_text(std::move(name), std::move(text));
  reader.status_ = status;
  return reader;
}

SourceReader SourceReader::from_text(std::string name, std::string text) {
  SourceReader reader;
  reader.name_ = std::move(name);
  reader.owned_ = std::move(text);
  reader.text_ = reader.owned_;
  return reader;
}

SourceReader::SourceReader(SourceReader&& other) noexcept { *this = std::move(other); }

SourceReader& SourceReader::operator=(SourceReader&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(status_, other.status_);
  std::swap(owned_, other.owned_);
  std::swap(mapping_, other.mapping_);
  std::swap(mapped_size_, other.mapped_size_);
  std::swap(text_, other.text_);
  std::swap(offset_, other.offset_);
  std::swap(is_read_once_, other.is_read_once_);
  std::swap(given_back_, other.given_back_);
  std::swap(line_, other.line_);
  std::swap(joined_, other.joined_);
  // A short string moves its bytes.
  if (mapping_ == nullptr) text_ = owned_;
  if (other.mapping_ == nullptr) other.text_ = other.owned_;
  return *this;
}

SourceReader::~SourceReader() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapped_size_);
}

void SourceReader::give_back_memory() {
  constexpr std::size_t kPiece = std::size_t{1} << 20;  // A multiple of every page size.
  if (mapping_ == nullptr || offset_ - given_back_ < kPiece) return;
  const std::size_t size = (offset_ - given_back_) / kPiece * kPiece;
  // Whether this works changes nothing for the reader.
  ::madvise(static_cast<char*>(mapping_) + given_back_, size, MADV_DONTNEED);
  given_back_ += size;
}

bool SourceReader::take_physical(std::string_view& content) {
  if (offset_ >= text_.size()) return false;
  if (is_read_once_) give_back_memory();
  const char* start = text_.data() + offset_;
  const std::size_t rest = text_.size() - offset_;
  const auto* newline = static_cast<const char*>(std::memchr(start, '\n', rest));
  const std::size_t length = newline == nullptr ? rest : static_cast<std::size_t>(newline - start);
  content = {start, length};
  offset_ += newline == nullptr ? length : length + 1;
  ++line_;
  return true;
}

std::optional<SourceLine> SourceReader::next() {
  std::string_view content;
  Kind kind = Kind::kIgnored;
  while (kind == Kind::kIgnored) {
    if (!take_physical(content)) return std::nullopt;
    kind = kind_of(content);
  }
  SourceLine line{.text = content, .first = line_, .last = line_};
  bool is_joined = false;
  for (;;) {
    const std::size_t offset = offset_;
    const int number = line_;
    if (!take_physical(content)) break;
    kind = kind_of(content);
    if (kind == Kind::kStart) {
      offset_ = offset;
      line_ = number;
      break;
    }
    if (kind == Kind::kIgnored) continue;
    if (!is_joined) joined_ = line.text;
    is_joined = true;
    joined_ += content;
    line.last = line_;
  }
  if (is_joined) line.text = joined_;
  line.text = until_nul(line.text);
  return line;
}

std::string SourceReader::place(const SourceLine& line) const {
  return concat(name_, ", line ", std::to_string(line.first));
}

std::string SourceReader::orphan_message(const SourceLine& line) const {
  constexpr std::size_t kShown = 30;
  const std::string_view rest = line.text.size() > kShown ? "..." : "";
  return concat(name_, ": logical line must not start with whitespace: \"", line.text.substr(0, kShown), rest,
                "\"");
}

Result<std::string> inline_rules(std::string_view type, std::string_view braced) {
  const auto fail = [&](std::string_view what, std::string_view where) {
    return Error{.kind = ErrorKind::kSyntax, .message = concat(type, " map: ", what, " in \"", where, "\"")};
  };
  const std::size_t length = libconf::balanced_length(braced);
  if (length == std::string_view::npos) return fail("missing '}'", braced);
  if (length != braced.size()) return fail("syntax error after '}'", braced);
  std::string_view rest = libconf::trim(braced.substr(1, length - 2));
  std::string text;
  while (const auto word = libconf::next_braced_word(rest, libconf::kListSeparators)) {
    if (!word->starts_with('{')) return fail("no '{' at start of text", *word);
    const std::size_t end = libconf::balanced_length(*word);
    if (end == std::string_view::npos) return fail("missing '}'", *word);
    if (end != word->size()) return fail("syntax error after '}'", *word);
    text += libconf::trim(word->substr(1, end - 2));
    text += '\n';
  }
  return text;
}

}  // namespace libmaps
