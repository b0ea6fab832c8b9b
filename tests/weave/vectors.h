/* vectors.h -- updates (version 1) made with npm yjs 13.6.33, as hex. */
#ifndef VECTORS_H
#define VECTORS_H

#include <stddef.h>
#include <stdint.h>

#define VECTOR_MAX 256      /* bytes, one spare included */

static const struct { const char *name, *v1; } vectors[] = {
    { "T1 text insert",
      "01010100040101740361626300" },
    { "T2 insert in middle (split)",
      "010301000401017401618401000164c40100010102626300" },
    { "T3 delete",
      "0103010004010174016881010003840103016f0101010103" },
    { "T4 concurrent same position",
      "0201020004010174014201010004010174014100" },
    { "T5 map LWW",
      "010301002101016d016b01a80100017701782101016d01620101010200010201" },
    { "T6 any values",
      "0104010008010161117e7d007d407d417d3f7d80017dbfffffff0f7c4f0000007ccf0000007c3f00"
      "00007b3fb999999999999a78797702c3a975027d0175017d02760201617d0101627e760101757402"
      "01028301100209082801016d03626967017a002bdc545d6b4b872801016d03756e64017f00" },
    { "T7 rich text",
      "01050100040101740161840100016246010001620474727565c6010001010162046e756c6c850101"
      "097b2269223a2278227d00" },
    { "T9 xml",
      "01040100070101780301700700010006040001010268692800010005636c6173730177016300" },
    { "T10 surrogates",
      "01030100040101740461efbfbd84010104efbfbd62c401010102015800" },
    { "T11 skip u0",
      "0101010004010174016100" },
    { "T11 skip u1",
      "01010101840100016200" },
    { "T11 skip u2",
      "01010102840101016300" },
    { "T11 skip merged_u0_u2",
      "010301000401017401610a01840101016300" },
    { "T11 skip merged_all",
      "010301000401017401618401000162840101016300" },
    { "T12 diff inside an item diff",
      "01010102840101036c6c6f00" },
    { "T12 diff inside an item mapdiff",
      "01010101a80100017d020101010001" },
    { "T13 subdoc",
      "010101002901016d01640267317602086175746f4c6f616478046d6574617601017a7d0100" },
    { "T15 two clients, v2 columns",
      "0202ac0200840101016381ac0200010201000101017401840100016202ac0201010101010001" },
};

#define N_VECTORS (sizeof vectors / sizeof *vectors)

static inline unsigned hex_digit(char c) { return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10); }

static inline size_t unhex(const char *hex, uint8_t *out) {
    size_t n = 0;
    for (; hex[0] && hex[1]; hex += 2) out[n++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
    return n;
}

#endif
