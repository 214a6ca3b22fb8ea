// The editor of an exercise: CodeMirror, in the page's colours. Fetched on pages with an exercise alone.
import { autocompletion, closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { cpp } from '@codemirror/lang-cpp';
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState, type Text } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { Fix, Message } from './engine';

/** Of the page's colours, so that both of its themes fit. */
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--code-keyword)' },
  { tag: [tags.typeName, tags.standard(tags.typeName), tags.namespace], color: 'var(--code-type)' },
  { tag: [tags.string, tags.character, tags.number, tags.bool], color: 'var(--code-value)' },
  { tag: [tags.comment], color: 'var(--toy-quiet)', fontStyle: 'italic' },
  { tag: [tags.processingInstruction, tags.meta], color: 'var(--toy-quiet)' },
]);

const look = EditorView.theme({
  '&': { backgroundColor: 'var(--toy-paper)', color: 'var(--toy-ink)', fontSize: '.875rem' },
  '&.cm-focused': { outline: 'none' }, // the frame around it has one, which no gutter covers
  '.cm-content': { fontFamily: 'ui-monospace, monospace', caretColor: 'var(--toy-ink)', padding: '.5rem 0' },
  '.cm-content, .cm-gutter': { minHeight: '12rem' },
  '.cm-cursor': { borderLeftColor: 'var(--toy-ink)' },
  '.cm-gutters': { backgroundColor: 'var(--rung-soft)', color: 'var(--toy-quiet)', border: '0' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--rung-q) 7%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--rung-q) 25%, transparent)',
  },
  '.cm-tooltip': { backgroundColor: 'var(--rung-soft)', color: 'var(--toy-ink)', border: '1px solid var(--rung-line)' },
  '.cm-diagnosticAction': { backgroundColor: 'var(--rung-q)', color: 'var(--toy-paper)' },
});

export interface Editor {
  readonly text: string;
  /** Replaces all of it, in one step that undo takes back. */
  replace(text: string): void;
  mark(messages: Message[]): void;
  /** Makes a change that the compiler proposes. */
  apply(fixes: Fix[]): void;
  /** Puts the cursor there, and the keys into the editor. */
  goTo(line: number, column?: number): void;
}

// clang counts bytes of UTF-8, the editor UTF-16.
function placeOf(doc: Text, line: number, column: number): number {
  const { from, to, text } = doc.line(Math.min(Math.max(line, 1), doc.lines));
  const bytes = new TextEncoder().encode(text).slice(0, Math.max(0, column - 1));
  return Math.min(to, from + new TextDecoder().decode(bytes).length);
}

const changesOf = (doc: Text, fixes: Fix[]) =>
  fixes.map(({ line, column, endLine, endColumn, text }) => ({
    from: placeOf(doc, line, column),
    to: placeOf(doc, endLine, endColumn),
    insert: text,
  }));

function diagnosticOf(doc: Text, message: Message): Diagnostic {
  const from = placeOf(doc, message.line, message.column);
  const to = Math.max(placeOf(doc, message.line, message.endColumn), Math.min(from + 1, doc.length));
  const { severity, text, fixes } = message;
  const apply = (view: EditorView) => view.dispatch({ changes: changesOf(view.state.doc, fixes) });
  return { from, to, severity, message: text, ...(fixes.length > 0 && { actions: [{ name: 'Fix', apply }] }) };
}

/** Tab indents, Escape and then Tab leaves the editor, as everywhere on the web. */
export function editorIn(
  parent: HTMLElement,
  { text, label, changed, check }: { text: string; label: string; changed(text: string): void; check(): void },
): Editor {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of([{ key: 'Mod-Enter', run: () => (check(), true) }]),
        [
          lineNumbers(),
          lintGutter(),
          EditorView.lineWrapping,
          highlightActiveLine(),
          highlightActiveLineGutter(),
          drawSelection(),
        ],
        [history(), indentOnInput(), bracketMatching(), closeBrackets(), autocompletion()],
        [indentUnit.of('  '), EditorState.tabSize.of(2), cpp(), syntaxHighlighting(colours), look],
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...lintKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', autocapitalize: 'off' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  const all = () => view.state.doc;
  return {
    get text() {
      return all().toString();
    },
    replace: (insert) => view.dispatch({ changes: { from: 0, to: all().length, insert } }),
    mark(messages) {
      const placed = messages.filter(({ line }) => line > 0).map((message) => diagnosticOf(all(), message));
      view.dispatch(
        setDiagnostics(
          view.state,
          placed.sort((a, b) => a.from - b.from),
        ),
      );
    },
    apply: (fixes) => view.dispatch({ changes: changesOf(all(), fixes) }),
    goTo(line, column = 1) {
      const anchor = placeOf(all(), line, column);
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
      view.focus();
    },
  };
}
