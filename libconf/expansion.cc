#include "libconf/expansion.h"

#include <array>
#include <charconv>
#include <cstdint>

#include "libconf/compatibility_level.h"
#include "libconf/idna.h"
#include "libconf/text.h"

namespace libconf {
namespace {

/// The deepest call that Postfix follows before it speaks of unreasonable nesting.
constexpr int kMaxDepth = 101;

/// A bound on the text that an expansion may produce: nested references double with every level otherwise.
constexpr std::size_t kMaxResult = std::size_t{16} << 20;

/// A bound on the references that one expansion may follow, for the same reason.
constexpr int kMaxReferences = 100'000;

/// The one function that expressions know since Postfix 3.11: `${domain_to_ascii{domain}}`.
constexpr std::string_view kDomainToAscii = "domain_to_ascii";

enum class Comparison { kEqual, kNotEqual, kLess, kLessOrEqual, kGreaterOrEqual, kGreater };

struct Operator {
  std::string_view text;
  Comparison comparison;
};

constexpr std::array kOperators = {
    Operator{"==", Comparison::kEqual},  Operator{"!=", Comparison::kNotEqual},
    Operator{"<", Comparison::kLess},    Operator{"<=", Comparison::kLessOrEqual},
    Operator{">", Comparison::kGreater}, Operator{">=", Comparison::kGreaterOrEqual},
};

bool holds(Comparison comparison, std::strong_ordering order) {
  switch (comparison) {
    case Comparison::kEqual:
      return order == 0;
    case Comparison::kNotEqual:
      return order != 0;
    case Comparison::kLess:
      return order < 0;
    case Comparison::kLessOrEqual:
      return order <= 0;
    case Comparison::kGreater:
      return order > 0;
    case Comparison::kGreaterOrEqual:
      return order >= 0;
  }
  return false;
}

/// The two sides of a conditional, not expanded yet. A side that is absent is empty.
struct Branches {
  std::string_view when_true;
  std::string_view when_false;
};

/// What stands inside `${...}` or `$(...)`.
struct Reference {
  bool is_comparison = false;
  bool is_call = false;   ///< `function{text}`: `name` is the function, `left` its argument.
  std::string_view name;  ///< Without a comparison.
  std::string_view left;  ///< The operands of a comparison.
  std::string_view right;
  Comparison comparison = Comparison::kEqual;
  bool by_level = false;             ///< Compare compatibility levels.
  std::optional<Branches> branches;  ///< Nothing: the plain value, or "true".
};

/// Splits a reference into its parts. Knows the syntax only; it looks nothing up.
class ReferenceParser {
 public:
  ReferenceParser(std::string_view inner, DiagnosticSink& sink) : inner_(inner), rest_(inner), sink_(sink) {}

  std::optional<Reference> parse() {
    rest_ = trim_left(rest_);
    Reference reference;
    reference.is_comparison = !rest_.empty() && rest_.front() == '{';
    if (!(reference.is_comparison ? parse_comparison(reference) : parse_name(reference))) return std::nullopt;
    if (rest_.empty()) return reference;
    reference.branches = parse_branches();
    if (!reference.branches) return std::nullopt;
    return reference;
  }

 private:
  static bool is_branch_mark(char c) { return c == '?' || c == ':'; }

  bool parse_name(Reference& reference) {
    std::size_t end = 0;
    while (end < rest_.size() && is_name_char(rest_[end])) ++end;
    reference.name = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (reference.name == kDomainToAscii && !rest_.empty() && rest_.front() == '{') {
      reference.is_call = true;
      const std::optional<std::string_view> argument = take_braced();
      if (!argument) return false;
      reference.left = *argument;
      return rest_.empty() ||
             fail("unexpected input", std::string_view(argument->data(), argument->size() + 1), rest_);
    }
    const std::string_view after = trim_left(rest_);
    if (!after.empty() && !is_branch_mark(after.front()))
      return fail("attribute name syntax error", consumed_since(inner_.data()), rest_);
    rest_ = after;
    return true;
  }

  bool parse_comparison(Reference& reference) {
    const char* const expression = rest_.data();
    const std::optional<std::string_view> left = take_braced();
    if (!left) return false;
    reference.left = *left;
    std::size_t end = 0;
    while (end < rest_.size() && std::string_view("<>!=").find(rest_[end]) != std::string_view::npos) ++end;
    const std::string_view symbol = rest_.substr(0, end);
    const Operator* op = nullptr;
    for (const Operator& candidate : kOperators)
      if (candidate.text == symbol) op = &candidate;
    if (op == nullptr)
      return fail(R"("==" or "!="" or "<"" or "<="" or ">="" or ">" expected)",
                  std::string_view(left->data(), left->size() + 1), rest_);
    reference.comparison = op->comparison;
    rest_.remove_prefix(end);
    const std::string_view before_suffix = consumed_since(expression);

    std::size_t suffix_end = 0;
    while (suffix_end < rest_.size() && is_name_char(rest_[suffix_end])) ++suffix_end;
    const std::string_view suffix = rest_.substr(0, suffix_end);
    if (!suffix.empty() && suffix != "level") return fail("bad operator suffix", symbol, suffix);
    reference.by_level = !suffix.empty();
    rest_.remove_prefix(suffix_end);

    const std::string_view after = trim_left(rest_);
    if (after.empty() || after.front() != '{') return fail("\"{expression}\" expected", before_suffix, rest_);
    rest_ = after;
    const std::optional<std::string_view> right = take_braced();
    if (!right) return false;
    reference.right = *right;
    if (!rest_.empty() && !is_branch_mark(rest_.front())) return fail(R"("?" or ":" expected)", "}", rest_);
    return true;
  }

  /// REQUIRES: rest_ starts with '?' or ':'.
  std::optional<Branches> parse_branches() {
    Branches branches;
    if (rest_.front() == '?') {
      rest_ = trim_left(rest_.substr(1));
      const bool is_braced = !rest_.empty() && rest_.front() == '{';
      if (!is_braced) return Branches{rest_, {}};
      const std::optional<std::string_view> text = take_braced();
      if (!text) return std::nullopt;
      branches.when_true = *text;
      if (rest_.empty()) return branches;
      if (rest_.front() != ':') {
        fail("\":\" expected", std::string_view(text->data(), text->size() + 1), rest_);
        return std::nullopt;
      }
    }
    rest_ = trim_left(rest_.substr(1));
    if (rest_.empty() || rest_.front() != '{') {
      branches.when_false = rest_;
      return branches;
    }
    const std::optional<std::string_view> text = take_braced();
    if (!text) return std::nullopt;
    branches.when_false = *text;
    if (rest_.empty()) return branches;
    fail("unexpected input", std::string_view(text->data(), text->size() + 1), rest_);
    return std::nullopt;
  }

  /// Takes `{text}` and the white space behind it; returns the text.
  std::optional<std::string_view> take_braced() {
    const std::size_t length = balanced_length(rest_);
    if (length == std::string_view::npos) {
      sink_.warn("expression-syntax", concat("unbalanced {} in attribute expression: \"", rest_, "\""));
      return std::nullopt;
    }
    const std::string_view text = rest_.substr(1, length - 2);
    rest_ = trim_left(rest_.substr(length));
    return text;
  }

  std::string_view consumed_since(const char* begin) const {
    return {begin, static_cast<std::size_t>(rest_.data() - begin)};
  }

  bool fail(std::string_view what, std::string_view before, std::string_view after) {
    sink_.warn("expression-syntax", concat(what, " at: \"...", before, ">>>", after, "\""));
    return false;
  }

  std::string_view inner_;
  std::string_view rest_;
  DiagnosticSink& sink_;
};

/// Walks a text and hands its parts to a handler with `bool literal(text)` and `bool reference(Reference)`;
/// false ends the walk, and is what it returns.
template <class Handler>
bool walk(std::string_view text, DiagnosticSink& sink, Handler& handler) {
  std::size_t literal_begin = 0;
  std::size_t i = 0;
  const auto flush = [&](std::size_t end) {
    return end == literal_begin || handler.literal(text.substr(literal_begin, end - literal_begin));
  };
  const auto fail = [&](std::string_view what) {
    sink.warn("expression-syntax", concat(what, ": \"", text, "\""));
    return false;
  };
  while ((i = text.find('$', i)) != std::string_view::npos) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == '$') {
      if (!flush(i + 1)) return false;
      i += 2;
      literal_begin = i;
      continue;
    }
    const bool flushed = flush(i);
    std::string_view inner;
    std::size_t end = i + 1;
    Reference reference;
    if (next == '{' || next == '(') {
      const char close = next == '{' ? '}' : ')';
      int depth = 0;
      for (; end < text.size(); ++end) {
        depth += text[end] == next;
        if (text[end] == close && --depth == 0) break;
      }
      if (end == text.size()) return fail("truncated macro reference");
      inner = text.substr(i + 2, end - i - 2);
      ++end;
      if (inner.empty()) return fail("empty macro name");
      std::optional<Reference> parsed = ReferenceParser(inner, sink).parse();
      if (!parsed) return false;
      reference = *parsed;
    } else {
      while (end < text.size() && is_name_char(text[end])) ++end;
      reference.name = text.substr(i + 1, end - i - 1);
      if (reference.name.empty()) return fail("empty macro name");
    }
    if (!handler.reference(reference) || !flushed) return false;
    i = end;
    literal_begin = end;
  }
  return flush(text.size());
}

class Expander {
 public:
  Expander(const ExpansionScope& scope, DiagnosticSink& sink, const ExpansionTrace& trace)
      : scope_(scope), sink_(sink), trace_(trace) {}

  Result<std::string> run(std::string_view text) {
    std::string out;
    if (expand_into(text, out)) return out;
    if (!fatal_.message.empty()) return fatal_;
    return Error{.kind = ErrorKind::kSyntax, .message = "macro processing error"};
  }

 private:
  struct Handler {
    Expander& expander;
    std::string& out;
    bool literal(std::string_view text) { return expander.add_literal(text, out); }
    bool reference(const Reference& reference) { return expander.add_reference(reference, out); }
  };

  bool expand_into(std::string_view text, std::string& out) {
    ++depth_;
    Handler handler{*this, out};
    const bool good = walk(text, sink_, handler);
    --depth_;
    return good;
  }

  bool too_deep(std::string_view where) {
    if (depth_ <= kMaxDepth) return false;
    sink_.warn("expression-loop", concat("unreasonable macro call nesting: \"", where, "\""));
    return true;
  }

  bool add_literal(std::string_view text, std::string& out) {
    if (too_deep(text)) return false;
    if (out.size() + text.size() > kMaxResult) return give_up("the expanded value is too long");
    out += text;
    return true;
  }

  bool give_up(std::string_view reason) {
    fatal_ = {.kind = ErrorKind::kSyntax, .message = concat("macro processing error: ", reason)};
    return false;
  }

  bool add_reference(const Reference& reference, std::string& out) {
    if (++references_ > kMaxReferences) return give_up("too many $name references");
    if (reference.is_call) {
      std::string domain;
      if (too_deep(reference.name) || !expand_into(reference.left, domain)) return false;
      return add_literal(domain_to_ascii(domain), out);
    }
    if (reference.is_comparison) {
      if (too_deep(reference.left)) return false;
      const std::optional<bool> truth = compare(reference);
      if (!truth) return false;
      if (!reference.branches) return !*truth || add_literal("true", out);
      return expand_into(*truth ? reference.branches->when_true : reference.branches->when_false, out);
    }
    if (too_deep(reference.name)) return false;
    const std::optional<std::string_view> value = scope_.value_of(reference.name);
    if (trace_) trace_(reference.name, value, values_deep_ + 1);
    if (reference.branches) {
      const bool is_set = value && !value->empty();
      return expand_into(is_set ? reference.branches->when_true : reference.branches->when_false, out);
    }
    if (!value) return true;
    ++values_deep_;
    const bool good = expand_into(*value, out);
    --values_deep_;
    return good;
  }

  std::optional<bool> compare(const Reference& reference) {
    std::string left, right;
    if (!expand_into(reference.left, left) || !expand_into(reference.right, right)) return std::nullopt;
    if (reference.by_level) {
      const std::optional<CompatibilityLevel> a = level(left), b = a ? level(right) : std::nullopt;
      if (!a || !b) return std::nullopt;
      return holds(reference.comparison, *a <=> *b);
    }
    if (is_all_digits(left) && is_all_digits(right)) {
      const std::optional<std::int64_t> a = number(left), b = a ? number(right) : std::nullopt;
      if (!a || !b) return std::nullopt;
      return holds(reference.comparison, *a <=> *b);
    }
    return holds(reference.comparison, left <=> right);
  }

  std::optional<CompatibilityLevel> level(std::string_view text) {
    const std::optional<CompatibilityLevel> parsed = parse_compatibility_level(text);
    if (!parsed)
      sink_.warn("compatibility-level", concat("malformed compatibility level syntax: \"", text, "\""));
    return parsed;
  }

  std::optional<std::int64_t> number(std::string_view digits) {
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (code == std::errc()) return value;
    fatal_ = {.kind = ErrorKind::kSyntax, .message = concat("mac_exp_eval: bad conversion: ", digits)};
    return std::nullopt;
  }

  const ExpansionScope& scope_;
  DiagnosticSink& sink_;
  const ExpansionTrace& trace_;
  int depth_ = 0;        ///< Of texts in texts: values, branches and operands.
  int values_deep_ = 0;  ///< Of values in values alone.
  int references_ = 0;
  Error fatal_;
};

/// Visits names in every branch.
struct Scanner {
  const std::function<void(std::string_view)>& visit;
  DiagnosticSink& sink;
  int depth = 0;

  bool literal(std::string_view) { return true; }

  bool reference(const Reference& reference) {
    if (!reference.is_comparison && !reference.is_call) visit(reference.name);
    const Branches branches = reference.branches.value_or(Branches{});
    for (std::string_view part : {reference.left, reference.right, branches.when_true, branches.when_false})
      if (!scan(part)) return false;
    return true;
  }

  bool scan(std::string_view text) {
    if (depth == kMaxDepth) return false;
    ++depth;
    const bool good = walk(text, sink, *this);
    --depth;
    return good;
  }
};

}  // namespace

Result<std::string> expand(std::string_view text, const ExpansionScope& scope, DiagnosticSink& sink,
                           const ExpansionTrace& trace) {
  return Expander(scope, sink, trace).run(text);
}

void scan_references(std::string_view text, const std::function<void(std::string_view)>& visit,
                     DiagnosticSink& sink) {
  Scanner{visit, sink}.scan(text);
}

}  // namespace libconf
