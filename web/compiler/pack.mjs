// Packs the compiler for pages, into dist/compiler/: the npm package @yowasp/clang, its headers without what no
// exercise needs, learn.h and its precompiled form. What a page fetches is packed with gzip, so that any host will do.
// What takes long is kept in build/compiler/, under a name made of what it came from.   node compiler/pack.mjs
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { toPrecompile } from '../dist/clang.js';

const web = fileURLToPath(new URL('..', import.meta.url));
const kept = join(web, '../build/compiler');
const out = join(web, 'dist/compiler');
const exercises = join(web, '../course/exercises');
const bundle = createRequire(import.meta.url).resolve('@yowasp/clang');
const { version } = JSON.parse(readFileSync(join(dirname(bundle), '../package.json'), 'utf8'));
const rules = 2; // of what is trimmed and how: count it up when they change

// Folders of the package's archive that no exercise needs: other languages, other machines, C++03.
const left =
  /^(share|include\/(c\+\+\/v1\/__cxx03|sanitizer|ppc\w*|cuda\w*|hlsl|llvm\w*|openmp\w*|xray|profile|fuzzer|orc))(\/|$)/;
const library = /^lib\/.*\/(libc|libc\+\+|libc\+\+abi|libclang_rt\.builtins)\.a$/;
const builtin =
  /^include\/(__stdd\w+|__stdarg\w*|__float\w*|stdd\w+|std(arg|int|bool|atomic)|limits|float|iso646|inttypes|tgmath|wasm_simd128|unwind)\.h$/;
function isNeeded(name, folder) {
  if (left.test(name)) return false;
  if (folder || /^include\/(c\+\+|wasm32-wasip1)\//.test(name)) return true;
  return library.test(name) || builtin.test(name);
}

// A tar is 512 bytes about a file, then the file, filled up to 512; its end is 1024 zeros. Entries are copied as they
// lie.
function trimmed(tar) {
  const parts = [];
  for (let at = 0; at < tar.length && tar[at] !== 0;) {
    const text = (from, bytes) => tar.toString('latin1', at + from, at + from + bytes).replace(/[\0 ].*$/s, '');
    const end = at + 512 + Math.ceil(parseInt(text(124, 12), 8) / 512) * 512;
    if (isNeeded(text(0, 100).replace(/\/$/, ''), text(156, 1) === '5')) parts.push(tar.subarray(at, end));
    at = end;
  }
  return Buffer.concat([...sayingWhich(parts), Buffer.alloc(1024)]);
}

// The library stops a program whose index is beyond an end, and does not say which it was: "25/17 span" is more. What
// is written there is as long as what it replaces, so that nothing else of the archive changes (src/learner.ts reads
// it).
const checked = /_LIBCPP_ASSERT_VALID_ELEMENT_ACCESS\((__idx|__n|__pos) (<=?) (size\(\)|_Size), "([^"]*)"\)/g;
const ofIndexing = /^(?:std::)?(span|vector|string_view|string)(?:<.*>::operator|\[\]| index)|access in std::(array)/;
function sayingWhich(parts) {
  const found = new Set();
  const made = parts.map((part) => {
    const header = part.toString('latin1');
    if (!/^include\/c\+\+\/v1\/(?:span|array|string|string_view|__vector\/vector\.h)\0/.test(header)) return part;
    const changed = header.replace(checked, (old, index, less, size, words) => {
      const [, ...names] = ofIndexing.exec(words) ?? [];
      const name = names.find(Boolean);
      if (!name) return old;
      found.add(name);
      const text = `(${index}${less}${size}?(void)0:__libcpp_verbose_abort("%zu/%zu ${name}",${index},${size}))`;
      if (text.length > old.length)
        throw new Error(`libc++'s ${name}: there is no room for what an index is said with`);
      return text.padEnd(old.length);
    });
    return Buffer.from(changed, 'latin1');
  });
  if (found.size !== 5) throw new Error(`libc++ checks an index in another way than it did: only ${[...found]}`);
  return made;
}

// The bundle asks us for its files: packed ones, which a page keeps (src/compiler_worker.ts).
function askingUs(script) {
  const made = script.replace(
    'var fetch_default = fetch2;',
    'var fetch_default = (url) => globalThis.fetchOfCompiler(url);',
  );
  if (made === script) throw new Error(`@yowasp/clang ${version}: its bundle.js fetches in another way than it did`);
  return made;
}

// A file of `kept`, made now where there is none; a half-written one never has its name.
function keep(name, make) {
  const path = join(kept, name);
  if (existsSync(path)) return path;
  mkdirSync(kept, { recursive: true });
  writeFileSync(`${path}.${process.pid}`, make());
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

const hash = (...parts) =>
  parts
    .reduce((all, part) => all.update(part), createHash('sha256'))
    .digest('hex')
    .slice(0, 12);
const files = {};
function pack(name, from, make) {
  const packed = keep(`${from}-${name}.gz`, () => gzipSync(make(), { level: 9 }));
  copyFileSync(packed, join(out, `${name}.gz`));
  const bytes = readFileSync(packed);
  files[name] = { packed: bytes.length, bytes: bytes.readUInt32LE(bytes.length - 4), hash: hash(bytes) };
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const ofPackage = (name) => readFileSync(join(dirname(bundle), name));
writeFileSync(join(out, 'bundle.js'), askingUs(readFileSync(bundle, 'utf8')));
for (const name of ['llvm.core.wasm', 'llvm.core2.wasm', 'llvm.core3.wasm', 'llvm.core4.wasm'])
  pack(name, version, () => ofPackage(name));
pack('llvm-resources.tar', `${version}-${rules}`, () => trimmed(ofPackage('llvm-resources.tar')));
for (const name of ['learn.h', 'entry.h']) copyFileSync(join(exercises, name), join(out, name));

// learn.h, as the compiler keeps it in memory: read once here, so that a page needs 0.5 s for a file, and not 4.
async function precompiled() {
  const { packedFiles } = await import('../dist/packed.js');
  globalThis.fetchOfCompiler = await packedFiles(files);
  const { runLLVM } = await import(join(out, 'bundle.js'));
  let said = '';
  const stderr = (bytes) => (said += bytes ? Buffer.from(bytes) : '');
  try {
    const header = readFileSync(join(exercises, 'learn.h'), 'utf8');
    const made = await runLLVM(toPrecompile, { 'learn.h': header }, { stderr, fetchProgress: () => {} });
    return made['learn.pch'];
  } catch (error) {
    throw new Error(`learn.h: ${said || error.message}`);
  }
}
const source = hash(version, String(rules), toPrecompile.join(' '), readFileSync(join(exercises, 'learn.h')));
const header = existsSync(join(kept, `${source}-learn.pch.gz`)) ? undefined : await precompiled();
pack('learn.pch', source, () => header);
writeFileSync(join(out, 'files.json'), `${JSON.stringify({ version, files }, null, 1)}\n`);
const sum = Object.values(files).reduce((all, { packed }) => all + packed, 0);
console.log(`clang ${version}: ${(sum / 1e6).toFixed(1)} MB to fetch`);
