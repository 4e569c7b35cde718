#include "tools/mta/queue/recipient_slots.h"

#include <algorithm>
#include <utility>

namespace mta {

void RecipientSlots::give(Share& share, std::size_t slots) {
  share.slots += slots;
  share.message->slots += slots;
}

/// Leaves so many to it, and returns the number of the others that are for anybody.
std::size_t RecipientSlots::take_back(Share& share, std::size_t kept) {
  if (share.slots <= kept) return 0;
  const std::size_t back = share.slots - kept;
  share.slots -= back;
  share.message->slots -= back;
  const std::size_t extra = std::min(back, share.extra);
  share.extra -= extra;
  extra_ += extra;
  return back - extra;
}

void RecipientSlots::pass_on(Share& share, std::size_t kept) {
  const std::size_t back = take_back(share, kept);
  if (not_read_.empty()) {
    unused_ += back;
  } else {
    give(*not_read_.begin()->second, back);
  }
}

RecipientSlots::Shares::iterator RecipientSlots::join(ActiveMessage& message) {
  const auto [place, is_new] = shares_.try_emplace(message.number, Share{.message = &message});
  if (!is_new) return place;
  Share& share = place->second;
  if (message.rest) {
    // One that came later had them.
    if (!not_read_.empty() && message.number < not_read_.begin()->first) {
      Share& first = *not_read_.begin()->second;
      unused_ += take_back(first, first.recipients);
    }
    not_read_.emplace(message.number, &share);
  }
  give(share, std::exchange(unused_, 0));
  return place;
}

void RecipientSlots::add(ActiveMessage& message) { ++join(message)->second.recipients; }

void RecipientSlots::remove(ActiveMessage& message, std::size_t recipients) {
  const auto place = shares_.find(message.number);
  if (place == shares_.end()) return;
  Share& share = place->second;
  share.recipients -= std::min(recipients, share.recipients);
  if (message.rest) return;
  pass_on(share, share.recipients);
  if (share.recipients == 0) shares_.erase(place);
}

void RecipientSlots::read_all(ActiveMessage& message) {
  const auto place = shares_.find(message.number);
  if (place == shares_.end()) return;
  not_read_.erase(message.number);
  remove(message, 0);
}

void RecipientSlots::go_ahead(ActiveMessage& message) {
  const auto place = shares_.find(message.number);
  if (place == shares_.end() || !message.rest) return;
  Share& share = place->second;
  const auto half = [](std::size_t slots) { return slots - slots / 2; };
  const std::size_t extra = half(extra_);
  const std::size_t unused = half(unused_);
  extra_ -= extra;
  unused_ -= unused;
  share.extra += extra;
  give(share, extra + unused);
}

void RecipientSlots::forget(ActiveMessage& message) {
  const auto place = shares_.find(message.number);
  if (place == shares_.end()) return;
  not_read_.erase(message.number);
  pass_on(place->second, 0);
  shares_.erase(place);
}

}  // namespace mta
