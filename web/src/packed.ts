// The compiler's files (dist/compiler/): fetched packed with gzip, unpacked here, and kept by the browser, so that a
// second visit asks for nothing.
import { inNode } from './port.js';

/** Of each file: bytes to fetch, bytes unpacked, and a hash of what is fetched. */
export type PackedFiles = Record<string, { packed: number; bytes: number; hash: string }>;

const cacheName = 'rung-compiler';
const placeOf = (name: string) => new URL(`./compiler/${name}.gz`, import.meta.url);

/** files.json says what there is → what answers a question for one of these files as fetch() would. */
export async function packedFiles(files: PackedFiles, onProgress: (bytes: number) => void = () => {}) {
  // Where the page is not a secure one there is no cache of ours; the browser's own may have it.
  const cache = inNode ? undefined : await globalThis.caches?.open(cacheName).catch(() => undefined);
  const addressOf = (name: string) => {
    const address = placeOf(name);
    address.searchParams.set('hash', files[name]!.hash);
    return address.href;
  };
  await forgetOthers(cache, new Set(Object.keys(files).map(addressOf)));
  return async (url: URL): Promise<Response> => {
    const name = url.pathname.split('/').pop()!;
    if (!files[name]) throw new Error(`the compiler asks for ${name}, which is not in its files.json`);
    const body = await unpacked(inNode ? await fromDisk(name) : await fetched(cache, addressOf(name), onProgress));
    return new Response(body, {
      headers: { 'content-type': name.endsWith('.wasm') ? 'application/wasm' : 'application/octet-stream' },
    });
  };
}

/** Whether all of it is here already, so that using it costs nobody's network. */
export async function isKept(files: PackedFiles): Promise<boolean> {
  const cache = await globalThis.caches?.open(cacheName).catch(() => undefined);
  if (!cache) return false;
  const addresses = new Set((await cache.keys()).map((request) => new URL(request.url).search));
  return Object.values(files).every(({ hash }) => addresses.has(`?hash=${hash}`));
}

async function fromDisk(name: string): Promise<ReadableStream<Uint8Array>> {
  const { readFile } = await import('node:fs/promises' as string);
  return new Response(await readFile(placeOf(name))).body!;
}

async function fetched(cache: Cache | undefined, address: string, onProgress: (bytes: number) => void) {
  const kept = await cache?.match(address);
  if (kept) return kept.body!;
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${new URL(address).pathname}: the server answers ${answer.status}`);
  let [used, stored] = cache ? answer.body!.tee() : [answer.body!, undefined];
  if (stored) void cache!.put(address, new Response(stored)).catch(() => {}); // a full disk: it is fetched again
  return used.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, out) {
        onProgress(piece.length);
        out.enqueue(piece);
      },
    }),
  );
}

// Some servers say of a .gz file that it is packed text, and the browser has unpacked it by then: its first two bytes
// tell.
async function unpacked(stream: ReadableStream<Uint8Array>): Promise<ReadableStream<Uint8Array>> {
  const reader = stream.getReader();
  const { value: first } = await reader.read();
  const whole = new ReadableStream<Uint8Array>({
    start: (out) => (first ? out.enqueue(first) : undefined),
    async pull(out) {
      const { done, value } = await reader.read();
      if (done) out.close();
      else out.enqueue(value);
    },
    cancel: (why) => reader.cancel(why),
  });
  const isPacked = first !== undefined && first[0] === 0x1f && first[1] === 0x8b;
  return isPacked ? whole.pipeThrough(new DecompressionStream('gzip') as any) : whole;
}

// What an older version of the compiler left.
async function forgetOthers(cache: Cache | undefined, wanted: Set<string>) {
  for (const request of (await cache?.keys().catch(() => [])) ?? [])
    if (!wanted.has(request.url)) await cache!.delete(request);
}
