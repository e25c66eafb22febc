// Lays out the Chromium that npm brought compressed (x86-64 Linux), the libraries it may lack here, and its fonts alone,
// so that a picture of a page is the same on every machine: chromium/{chromium,lib/,fonts/,fonts.conf}.
import { copyFileSync, createReadStream, createWriteStream, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar-fs";

const packed = "node_modules/@sparticuz/chromium/bin";
const home = resolve("chromium");
const fonts = [
  "@expo-google-fonts/noto-sans-devanagari/400Regular/NotoSansDevanagari_400Regular.ttf",
  "@expo-google-fonts/noto-sans-devanagari/700Bold/NotoSansDevanagari_700Bold.ttf",
  "dejavu-fonts-ttf/ttf/DejaVuSans.ttf",
  "dejavu-fonts-ttf/ttf/DejaVuSansMono.ttf",
];

const unpack = (name, into) => pipeline(createReadStream(join(packed, name)), createBrotliDecompress(), into);

mkdirSync(home, { recursive: true });
await unpack("al2023.tar.br", extract(home));
await unpack("swiftshader.tar.br", extract(home));
await unpack("fonts.tar.br", extract(home));
for (const font of fonts) {
  copyFileSync(join("node_modules", font), join(home, "fonts", basename(font)));
}
const prefer = (family, ...chosen) =>
  `<alias binding="strong"><family>${family}</family><prefer>${chosen.map((one) => `<family>${one}</family>`).join("")}</prefer></alias>`;
writeFileSync(
  join(home, "fonts.conf"),
  `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(home, "fonts")}</dir>
  <cachedir>${join(home, "fonts-cache")}</cachedir>
  ${prefer("sans-serif", "Open Sans", "Noto Sans Devanagari", "DejaVu Sans")}
  ${prefer("system-ui", "Open Sans", "Noto Sans Devanagari", "DejaVu Sans")}
  ${prefer("monospace", "DejaVu Sans Mono")}
</fontconfig>
`,
);
// Last, since its presence says that all of it is there.
await unpack("chromium.br", createWriteStream(join(home, "chromium"), { mode: 0o755 }));
rmSync(packed, { recursive: true });
