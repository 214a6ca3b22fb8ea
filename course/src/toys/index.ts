// What moves on the pages: plain custom elements. Each finds its figure for readers without JavaScript inside itself, and takes its place.
import './matmul';
import './bits';
import './question';
import './predict';
import './again';
import './diary-page';
