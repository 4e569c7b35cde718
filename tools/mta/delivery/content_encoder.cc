#include "tools/mta/delivery/content_encoder.h"

namespace mta {

void ContentEncoder::add(std::string& out, std::string_view text, bool ends_line) {
  if (is_at_start_ && text.starts_with('.')) out += '.';
  if (!text.empty()) is_at_start_ = false;
  if (limit_ > 0) {
    while (text.size() > limit_ - column_) {
      const std::size_t room = limit_ - column_;
      out += text.substr(0, room);
      text.remove_prefix(room);
      out += "\r\n ";
      has_broken_ = true;
      // Of a limit of one byte the blank takes it all; it goes on all the same.
      column_ = limit_ > 1 ? 1 : 0;
    }
    column_ += text.size();
  }
  out += text;
  if (!ends_line) return;
  out += "\r\n";
  column_ = 0;
  is_at_start_ = true;
}

}  // namespace mta
