// The styles of exercises come with their scripts, so that other pages weigh no more for them.
import styles from '../styles/exercise.css?inline';

document.head.append(Object.assign(document.createElement('style'), { textContent: styles }));
