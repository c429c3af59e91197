// A queue in one piece of memory that is used again. std::deque allocates a node for every two records or inputs.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace portrait {

// One thread. What is popped is destroyed when the queue runs empty or is moved together, not at once.
template <class T>
class Fifo {
 public:
  bool empty() const { return head_ == items_.size(); }
  size_t size() const { return items_.size() - head_; }
  T& front() { return items_[head_]; }
  const T& front() const { return items_[head_]; }

  void push_back(T&& item) { items_.push_back(std::move(item)); }
  void pop_front() {
    constexpr size_t kLeast = 1024;
    if (++head_ == items_.size()) {
      items_.clear();
      head_ = 0;
    } else if (head_ >= kLeast && head_ > items_.size() / 2) {  // at most one move for each item
      items_.erase(items_.begin(), items_.begin() + static_cast<ptrdiff_t>(head_));
      head_ = 0;
    }
  }
  void clear() {
    items_.clear();
    head_ = 0;
  }

 private:
  std::vector<T> items_;
  size_t head_ = 0;
};

}  // namespace portrait
