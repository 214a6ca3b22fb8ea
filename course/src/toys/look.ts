// Look inside: a text through a model, every number of it. Heads and layers can be switched off; a model of the
// reader's own can be dropped in.
import { bars, farOff, number, percent, picture, shares, visible } from './draw';
import {
  lineOf,
  load,
  onItsWay,
  whenIdle,
  type Comparison,
  type ModelFile,
  type Part,
  type Rung,
  type Trace,
} from './engine';
import { h } from './parts';

const same = (a: Part, b: Part) => JSON.stringify(a) === JSON.stringify(b);
const nameOf = (part: Part) => `layer ${part.layer} ${'head' in part ? `head ${part.head}` : part.part}`;

class Look extends HTMLElement {
  private rung?: Rung;
  private text = this.dataset.text ?? 'The fox gave the lantern to Mia. Mia has the';
  private trace?: Trace;
  private comparison?: Comparison;
  private off: Part[] = [];
  private layer = 3;
  private head = 0;
  private row = 0;
  private tensor = '';
  private said = h('p', { class: 'note', role: 'status' });
  private parts = {
    next: h('section'),
    lens: h('section'),
    attention: h('section'),
    off: h('section'),
    tensors: h('section'),
    one: h('div'),
  };

  connectedCallback() {
    this.classList.add('toy');
    const printed = h('div', {}, ...this.childNodes);
    this.append(this.form(), this.said, printed);
    void whenIdle()
      .then(() => this.open())
      .then((opened) => {
        if (!opened) return;
        printed.remove();
        this.append(this.tokens, ...Object.values(this.parts).slice(0, 5));
      });
    new MutationObserver(() => this.trace && this.draw()).observe(document.documentElement, {
      attributeFilter: ['data-theme'],
    });
  }

  private tokens = h('div', { class: 'tokens', role: 'group', 'aria-label': 'the tokens; choose whose row is shown' });

  private form() {
    const input = h('textarea', { name: 'text', rows: '2', maxlength: '1000' });
    input.value = this.text;
    const files = (words: string, folder: boolean) => {
      const pick = h('input', {
        type: 'file',
        multiple: true,
        webkitdirectory: folder,
        onchange: () => void this.take([...pick.files!]),
      });
      return h('label', {}, words, pick);
    };
    const own = h(
      'details',
      {},
      h('summary', {}, 'Look into a model of your own'),
      h(
        'p',
        {},
        'A .gguf file, or a folder with config.json, tokenizer.json and model.safetensors, of up to 1.9 GB: ' +
          'choose it, or drop it here. It is read by this page and goes nowhere else.',
      ),
      h(
        'p',
        { class: 'row' },
        files('files ', false),
        files('a folder ', true),
        h('button', { type: 'button', onclick: () => void this.open() }, 'pebble again'),
      ),
    );
    const form = h(
      'form',
      {
        onsubmit: (event) => {
          event.preventDefault();
          this.text = input.value;
          void this.look();
        },
      },
      h('label', {}, 'A text', input),
      h('button', {}, 'Look inside'),
      own,
    );
    form.addEventListener('dragover', (event) => event.preventDefault());
    form.addEventListener('drop', (event) => {
      event.preventDefault();
      void this.take([...event.dataTransfer!.files]);
    });
    return form;
  }

  private async take(files: File[]) {
    if (files.length === 0) return;
    // Of a folder only what a model is made of.
    const wanted =
      files.length === 1 ? files : files.filter((file) => /\.(json|safetensors|gguf|jinja|model)$/.test(file.name));
    const name = files[0].webkitRelativePath.split('/')[0] || undefined;
    await this.open(
      wanted.map((file) => ({ name: file.name, data: file })),
      name,
    );
  }

  // Opens a model; the one before stays where the new one cannot be.
  private async open(files?: ModelFile[], name?: string) {
    this.say(files ? 'The model is being read …' : onItsWay);
    let opened: Rung;
    try {
      opened = await load(files ?? 'pebble', {
        name,
        device: files && files.some((file) => file.data.size > 3e7) ? 'cpu' : 'reference',
        onProgress: (done, all) => this.say(`${Math.round(done / 1e6)} of ${Math.round(all / 1e6)} MB`),
      });
    } catch (error) {
      this.say(lineOf(error));
      return false;
    }
    await this.look(opened);
    return true;
  }

  private adopt(opened: Rung) {
    this.rung?.close();
    this.rung = opened;
    this.off = [];
    this.layer = Math.min(this.layer, opened.model.layers - 1);
    this.head = Math.min(this.head, opened.model.heads - 1);
    this.tensor = `layer.${this.layer}.attention`;
  }

  private say(words: string) {
    this.said.textContent = words;
  }

  // What belongs together is taken at once, when all of it is there: the page may be drawn at any moment (a theme is
  // chosen, a token).
  private async look(opened?: Rung) {
    const rung = opened ?? this.rung;
    if (!rung) return;
    const off = opened ? [] : this.off;
    try {
      await rung.switchOff(off);
      const trace = await rung.trace(this.text, { attention: true, lens: 3 });
      const comparison = off.length > 0 ? await rung.compare(this.text, { top: 8 }) : undefined;
      const next = comparison ?? { sound: (await rung.logits(this.text, { top: 8 })).top };
      if (opened) this.adopt(opened);
      this.trace = trace;
      this.comparison = comparison;
      this.next = next;
      this.row = trace.tokens.length - 1;
      this.draw();
      await this.showTensor();
      const m = rung.model;
      this.say(
        `${m.name}: ${m.layers} layers, ${m.heads} query heads and ${m.kvHeads} key heads, ` +
          `rows of ${m.hidden} numbers, ${(m.parameters / 1e6).toFixed(1)} million weights. ` +
          `${trace.tokens.length} tokens, ${trace.tensors.length} tensors.`,
      );
      this.dataset.looked = String(Number(this.dataset.looked ?? 0) + 1);
    } catch (error) {
      if (opened && this.rung !== opened) this.adopt(opened); // which another text may suit
      this.say(lineOf(error));
    }
  }
  private next!: { sound: Comparison['sound']; changed?: Comparison['changed'] };

  private draw() {
    this.drawTokens();
    this.drawNext();
    this.drawLens();
    this.drawAttention();
    this.drawOff();
    this.drawTensors();
  }

  private drawTokens() {
    this.tokens.replaceChildren(
      ...this.trace!.tokens.map((token, i) =>
        h(
          'button',
          {
            type: 'button',
            'aria-pressed': String(i === this.row),
            title: `token ${i}, id ${token.id}`,
            onclick: () => {
              this.row = i;
              this.draw();
              void this.showTensor();
              this.tokens.querySelectorAll('button')[i].focus();
            },
          },
          visible(token),
        ),
      ),
    );
  }

  private drawNext() {
    const { sound, changed } = this.next;
    this.parts.next.replaceChildren(
      h('h2', {}, 'What comes next'),
      h(
        'div',
        { class: 'beside' },
        bars(sound, 'with everything on'),
        ...(changed ? [bars(changed, `without ${this.off.map(nameOf).join(', ')}`)] : []),
      ),
    );
  }

  private drawLens() {
    const table = h(
      'table',
      { class: 'lens' },
      h('caption', {}, `If the model ended here, after “${visible(this.trace!.tokens[this.row])}” it would say`),
    );
    for (const { layer, rows } of this.trace!.lens) {
      table.append(
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, layer < 0 ? 'embedding' : `layer ${layer}`),
          ...rows[this.row].map((candidate) =>
            h('td', {}, h('code', {}, visible(candidate)), ` ${percent(candidate.probability)}`),
          ),
        ),
      );
    }
    this.parts.lens.replaceChildren(
      h('h2', {}, 'Logit lens'),
      h('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': 'logit lens' }, table),
    );
  }

  private layers(act: (layer: number) => void, id: string) {
    const select = h('select', { name: id, onchange: () => act(select.selectedIndex) });
    for (let i = 0; i < this.rung!.model.layers; ++i)
      select.add(new Option(`layer ${i}`, String(i), false, i === this.layer));
    return h('label', {}, 'of ', select);
  }

  private drawAttention() {
    const { tokens, attention } = this.trace!,
      n = tokens.length;
    const { heads, weights } = attention[this.layer];
    const of = (head: number) => weights.subarray(head * n * n, (head + 1) * n * n);
    const small = Array.from({ length: heads }, (_, head) =>
      h(
        'button',
        {
          type: 'button',
          'aria-pressed': String(head === this.head),
          'aria-label': `head ${head}`,
          onclick: () => {
            this.head = head;
            this.drawAttention();
            this.parts.attention.querySelectorAll<HTMLElement>('.heads button')[head].focus();
          },
        },
        picture(of(head), n, n, (value, t, j) => (j > t ? 0 : Math.sqrt(value)), `head ${head} of layer ${this.layer}`),
        `head ${head}`,
      ),
    );
    const row = of(this.head).subarray(this.row * n, this.row * n + this.row + 1);
    const most = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, 6);
    const table = shares(
      most.map((j) => ({ of: [`${j} `, h('code', {}, visible(tokens[j]))], share: row[j] })),
      `Layer ${this.layer}, head ${this.head}: token ${this.row}, “${visible(tokens[this.row])}”, looks at`,
    );
    this.parts.attention.replaceChildren(
      h(
        'h2',
        {},
        'Attention ',
        this.layers((layer) => this.choose(layer, 'attention-layer'), 'attention-layer'),
      ),
      h('p', {}, 'Rows look, columns are looked at; the stronger the colour, the more.'),
      h('div', { class: 'heads' }, ...small),
      table,
    );
  }

  private choose(layer: number, focus: string) {
    this.layer = layer;
    this.draw();
    this.querySelector<HTMLElement>(`[name=${focus}]`)!.focus();
  }

  private drawOff() {
    const box = (part: Part, words: string) =>
      h(
        'label',
        {},
        h('input', {
          type: 'checkbox',
          checked: this.off.some((other) => same(other, part)),
          onchange: () => {
            this.off = this.off.some((other) => same(other, part))
              ? this.off.filter((other) => !same(other, part))
              : [...this.off, part];
            void this.look().then(() =>
              this.parts.off.querySelector<HTMLElement>(`[aria-label="${nameOf(part)}"]`)?.focus(),
            );
          },
          'aria-label': nameOf(part),
        }),
        ` ${words}`,
      );
    const layer = this.layer;
    const boxes = [
      box({ layer, part: 'layer' }, 'the layer'),
      box({ layer, part: 'attention' }, 'attention'),
      box({ layer, part: 'mlp' }, 'MLP'),
      ...Array.from({ length: this.rung!.model.heads }, (_, head) => box({ layer, head }, `head ${head}`)),
    ];
    this.parts.off.replaceChildren(
      h(
        'h2',
        {},
        'Switch off ',
        this.layers((chosen) => this.choose(chosen, 'off-layer'), 'off-layer'),
      ),
      h(
        'div',
        { class: 'row' },
        ...boxes,
        h(
          'button',
          {
            type: 'button',
            onclick: () => {
              this.off = [];
              void this.look();
            },
          },
          'everything on',
        ),
      ),
      this.whatIsOff(),
    );
  }

  private whatIsOff() {
    if (this.off.length === 0) {
      const on =
        'Everything is on. What is switched off adds nothing to the stream; what comes after it goes on without.';
      return h('p', {}, on);
    }
    const { firstWrong, differences } = this.comparison!;
    return h(
      'p',
      {},
      `Off: ${this.off.map(nameOf).join('; ')}. The first tensor that is another: `,
      h('code', {}, firstWrong ?? 'none'),
      `. ${farOff(differences)}`,
    );
  }

  private drawTensors() {
    const select = h('select', {
      name: 'tensor',
      onchange: () => {
        this.tensor = select.value;
        void this.showTensor();
      },
    });
    for (const one of this.trace!.tensors)
      select.add(new Option(`${one.name} [${one.shape.join('×')}]`, one.name, false, one.name === this.tensor));
    this.parts.tensors.replaceChildren(
      h('h2', {}, 'Every tensor'),
      h('label', {}, 'the tensor ', select),
      this.parts.one,
    );
  }

  // The numbers of one tensor: asked for when they are looked at.
  private async showTensor() {
    try {
      const { tensors } = await this.rung!.trace(this.text, { values: [this.tensor] });
      const one = tensors.find((tensor) => tensor.name === this.tensor);
      if (!one?.values) {
        this.parts.one.replaceChildren(h('p', {}, `${this.tensor}: this model has no such tensor.`));
        return;
      }
      const rows = one.shape[0],
        columns = one.values.length / rows,
        row = Math.min(this.row, rows - 1);
      const most = Math.max(Math.abs(one.min), Math.abs(one.max)) || 1;
      const numbers = [...one.values.subarray(row * columns, row * columns + Math.min(columns, 256))]
        .map(number)
        .join(' ');
      this.parts.one.replaceChildren(
        h(
          'p',
          {},
          `${one.axes.join(' × ')}: ${one.shape.join(' × ')}. From ${number(one.min)} to ${number(one.max)}, ` +
            `root of the mean square ${number(one.rms)}.`,
        ),
        h(
          'div',
          { class: 'wide', tabindex: '0', role: 'region', 'aria-label': `a picture of ${one.name}` },
          picture(
            one.values,
            rows,
            columns,
            (value) => Math.sign(value) * Math.sqrt(Math.abs(value) / most),
            `${one.name}: a row a token, blue above 0, orange below`,
          ),
        ),
        h(
          'p',
          {},
          `Token ${row}, ${columns > 256 ? `the first 256 of ${columns} numbers` : `its ${columns} numbers`}:`,
        ),
        h('pre', { class: 'values', tabindex: '0', 'aria-label': `numbers of ${one.name}` }, numbers),
      );
    } catch (error) {
      this.say(lineOf(error));
    }
  }
}
customElements.define('rung-look', Look);
