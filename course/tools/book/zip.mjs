// A ZIP archive from names and contents. As EPUB wants it, the first entry is stored as it is; the others are deflated.
import { crc32, deflateRawSync } from 'node:zlib';

const epoch = { time: 0, date: (1 << 5) | 1 }; // 1 January 1980, so that the same book is the same bytes

export function zip(files) {
  const parts = [],
    index = [];
  let at = 0;
  files.forEach(([name, content], i) => {
    const plain = Buffer.from(content),
      title = Buffer.from(name);
    const packed = i === 0 ? plain : deflateRawSync(plain, { level: 9 });
    // What the entry and the index say alike: version 2.0, UTF-8 names, method, time, date, CRC, sizes, length of the
    // name, no extra field.
    const head = Buffer.alloc(26);
    [20, 0x800, i === 0 ? 0 : 8, epoch.time, epoch.date].forEach((value, k) => head.writeUInt16LE(value, 2 * k));
    [crc32(plain), packed.length, plain.length].forEach((value, k) => head.writeUInt32LE(value, 10 + 4 * k));
    head.writeUInt16LE(title.length, 22);
    const tail = Buffer.alloc(14); // of the index: comment, disk, attributes; and where the entry begins
    tail.writeUInt32LE(at, 10);
    index.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), head, tail, title);
    const entry = [Buffer.from('PK\x03\x04'), head, title, packed];
    parts.push(...entry);
    at += entry.reduce((sum, part) => sum + part.length, 0);
  });
  const size = index.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...index, end]);
}
