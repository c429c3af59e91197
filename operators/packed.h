// Numbers and texts packed into the bytes of a state, where a message would be many small pieces of memory: varints,
// signed ones in zigzag, floats of four bytes, texts whose length is known.
//
//   PackedWriter out(buffer);                 PackedReader in(state.entries());
//   out.Unsigned(3); out.Signed(-7);          in.Unsigned(); in.Signed();
//   state.set_entries(out.data(), out.size());
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace portrait {

static_assert(std::endian::native == std::endian::little);

// Of bytes that end too early, zeros and empty texts. Protobuf's own reader takes ten times as long to be set up as the
// few numbers that are mostly wanted take to be read.
class PackedReader {
 public:
  explicit PackedReader(std::string_view bytes)
      : begin_(reinterpret_cast<const uint8_t*>(bytes.data())), at_(begin_), end_(begin_ + bytes.size()) {}

  bool done() const { return at_ == end_; }
  size_t position() const { return static_cast<size_t>(at_ - begin_); }

  uint64_t Unsigned() {
    if (at_ < end_ && *at_ < 0x80) return *at_++;
    return end_ - at_ >= 8 ? FromEight() : FromFew();
  }
  int64_t Signed() { return google::protobuf::internal::WireFormatLite::ZigZagDecode64(Unsigned()); }

  uint8_t Byte() { return at_ < end_ ? *at_++ : 0; }
  float Float() {
    float value = 0;
    if (end_ - at_ < static_cast<ptrdiff_t>(sizeof value)) return at_ = end_, value;
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string_view Text(size_t size) {
    if (static_cast<size_t>(end_ - at_) < size) return at_ = end_, std::string_view();
    const std::string_view text(reinterpret_cast<const char*>(at_), size);
    at_ += size;
    return text;
  }

 private:
  // Of up to eight bytes at once: the last one is the first without its highest bit; then sevens of bits are pushed
  // together, pair by pair.
  uint64_t FromEight() {
    constexpr uint64_t kHighest = 0x8080808080808080;
    uint64_t bytes = 0;
    std::memcpy(&bytes, at_, sizeof bytes);
    const uint64_t ends = ~bytes & kHighest;
    if (ends == 0) return FromFew();
    at_ += (std::countr_zero(ends) + 1) / 8;
    bytes &= (ends ^ (ends - 1)) & ~kHighest;
    bytes = (bytes & 0x007f007f007f007f) | (bytes & 0x7f007f007f007f00) >> 1;
    bytes = (bytes & 0x00003fff00003fff) | (bytes & 0x3fff00003fff0000) >> 2;
    return (bytes & 0x000000000fffffff) | (bytes & 0x0fffffff00000000) >> 4;
  }

  uint64_t FromFew() {
    uint64_t value = 0;
    for (int shift = 0; at_ < end_ && shift < 64; shift += 7) {
      const uint8_t byte = *at_++;
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) break;
    }
    return value;
  }

  const uint8_t* begin_;
  const uint8_t* at_;
  const uint8_t* end_;
};

// Writes into memory of the caller's, which must be large enough for all that is written.
class PackedWriter {
 public:
  static constexpr size_t kVarint = 10;  // bytes at most

  explicit PackedWriter(uint8_t* begin) : begin_(begin), end_(begin) {}

  void Unsigned(uint64_t value) { end_ = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, end_); }
  void Signed(int64_t value) { Unsigned(google::protobuf::internal::WireFormatLite::ZigZagEncode64(value)); }
  void Byte(uint8_t value) { *end_++ = value; }
  void Float(float value) { Bytes(&value, sizeof value); }
  void Text(std::string_view text) { Bytes(text.data(), text.size()); }

  const char* data() const { return reinterpret_cast<const char*>(begin_); }
  size_t size() const { return static_cast<size_t>(end_ - begin_); }

 private:
  void Bytes(const void* from, size_t size) {
    if (size > 0) std::memcpy(end_, from, size);
    end_ += size;
  }

  uint8_t* begin_;
  uint8_t* end_;
};

}  // namespace portrait
