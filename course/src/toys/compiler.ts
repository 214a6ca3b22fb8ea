// The compiler of a page: fetched when something first asks for it, then kept by the browser. What it is and can:
// web/src/types.ts.
import type { Compiler, CompilerOptions, CompilerSize } from '../../../web/src/types';

const folder = import.meta.env.DEV ? '/engine/' : '../engine/';
interface Door {
  compilerSize(): Promise<CompilerSize>;
  loadCompiler(options?: CompilerOptions): Promise<Compiler>;
}
const door = () => import(/* @vite-ignore */ new URL(folder + 'compiler.js', import.meta.url).href) as Promise<Door>;

export const compilerSize = async (): Promise<CompilerSize> => (await door()).compilerSize();

let shared: Promise<Compiler> | undefined;

/** The page's one compiler; where it could not be had, the next call tries again. */
export function compiler(onProgress: CompilerOptions['onProgress']): Promise<Compiler> {
  shared ??= door()
    .then(({ loadCompiler }) => loadCompiler({ onProgress }))
    .catch((error) => {
      shared = undefined;
      throw error;
    });
  return shared;
}
