// Encodes bytes as text for the inline chunk; src/wasm/inline.ts decodes them. Most bytes become one printable ASCII
// character, the rarer ones two, so that bytes stay aligned and Brotli still finds the repetitions of WebAssembly. Only
// ASCII, because some bundlers escape other characters and some pages are not served as UTF-8; and none of " ' ` \ $ <,
// which have a meaning for minifiers or in HTML.
//
// Measured on an earlier core of 108,090 bytes (with a list of the frequent bytes before the text), as the length of the text after brotli 11 (the WebAssembly itself: 41,755):
//   this encoding                       43,039
//   Latin-1, a byte a character         42,920   breaks where the page's charset is not UTF-8; 47,674 where escaped
//   hexadecimal                         45,075
//   base64 of deflate-raw               49,476   needs DecompressionStream, too
//   base64                              55,132

// 89 characters: 87 singles and 2 prefixes, 87 + 2 * 89 >= 256.
const ALPHABET = [];
for (let code = 0x20; code < 0x7f; code++) {
  const char = String.fromCharCode(code);
  if (!"\"'`\\$<".includes(char)) ALPHABET.push(char);
}
const SINGLES = ALPHABET.length - 2;

/** The 87 bytes that are most frequent in WebAssembly. A list per file would be longer than what it saves. */
const isSingle = (byte) => byte < 67 || (byte > 96 && byte < 117);

export function encode(bytes) {
  const codes = [];
  let singles = 0;
  let pairs = 0;
  for (let byte = 0; byte < 256; byte++) {
    if (isSingle(byte)) codes.push(ALPHABET[singles++]);
    else {
      codes.push(ALPHABET[SINGLES + Math.floor(pairs / ALPHABET.length)] + ALPHABET[pairs % ALPHABET.length]);
      pairs++;
    }
  }
  return Array.from(bytes, (byte) => codes[byte]).join("");
}
